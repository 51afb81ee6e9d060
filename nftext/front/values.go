// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"fmt"
)

// values follows the values of a rule that nft made, from the placeholder before
// the statement to the carrier in it.
type values struct {
	base  uint32
	terms map[carrier]*term // nil where the carrier has been met
}

var errCarrier = errors.New("its value is not used as nft's grammar promises")

// mark notes a placeholder: the carrier of its term follows.
func (v *values) mark(e *term) error {
	if v.terms[e.carrier] != nil {
		return fmt.Errorf("%s: %w", v.terms[e.carrier].text, errCarrier)
	}
	if v.terms == nil {
		v.terms = map[carrier]*term{}
	}
	v.terms[e.carrier] = e
	return nil
}

// carried returns the term whose carrier an expression loads, and the register it
// goes to, or nil for an expression of the user's own. An expression that could
// be either is an error.
func (v *values) carried(e Element) (*term, uint32, error) {
	if v.terms == nil {
		return nil, 0, nil
	}
	c, register, ok := carrierOf(e, v.base)
	if !ok {
		return nil, 0, nil
	}
	found, marked := v.terms[c]
	switch {
	case !marked:
		return nil, 0, nil
	case found == nil:
		return nil, 0, fmt.Errorf("rule with a dict value: %q stands for it and cannot be used beside it: %w", c.text(v.base), errPlace)
	}
	v.terms[c] = nil
	return found, register, nil
}

// done returns an error if a value has not been met.
func (v *values) done() error {
	for _, e := range v.terms {
		if e != nil {
			return fmt.Errorf("%s: %w: %w", e.text, errCarrier, errPlace)
		}
	}
	return nil
}
