// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"fmt"
)

// codes compiles the terms of one batch, each once for a place, and holds what
// they refer to until the kernel has answered.
type codes struct {
	codec Codec
	check bool // the batch changes nothing
	made  map[codeKey]result
}

type codeKey struct {
	target Target
	term   string
}

type result struct {
	code *Code
	err  error
}

func newCodes(codec Codec) *codes { return &codes{codec: codec, made: map[codeKey]result{}} }

func (c *codes) compile(t Target, term string) ([]byte, error) {
	t.Check = c.check
	key := codeKey{t, term}
	r, ok := c.made[key]
	if !ok {
		r.code, r.err = c.codec.Compile(t, term)
		if r.err == nil {
			if err := elementsOf(r.code.Exprs); err != nil {
				r.err = fmt.Errorf("compiled form of %s: %w", term, err)
			}
		}
		c.made[key] = r
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.code.Exprs, nil
}

func (c *codes) close() (err error) {
	for _, r := range c.made {
		if r.code != nil && r.code.Close != nil {
			err = errors.Join(err, r.code.Close())
		}
	}
	return err
}
