// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
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

// pass notes an expression of the user's own. Where one does more than to fill a
// register, what the registers hold is used: an Ether's carrier behind it is the user's.
func (v *values) pass(e Element) {
	if loads(e) {
		return
	}
	for c, waits := range v.terms {
		if c.class == Ether && waits == nil {
			delete(v.terms, c)
		}
	}
}

// turned reports whether an expression is one by which nft brings the carrier, in
// the byte order of packets, into that of the host. nft 1.1 does so, 1.0 does not;
// the value is in that order already.
func (c carrier) turned(e Element, register uint32) bool {
	if !c.raw || e.Name != "byteorder" {
		return false
	}
	attrs, err := readAttrs(e.Data, nil)
	from, _ := uint32Of(pick(attrs, unix.NFTA_BYTEORDER_SREG))
	to, _ := uint32Of(pick(attrs, unix.NFTA_BYTEORDER_DREG))
	return err == nil && from == register && to == register
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
