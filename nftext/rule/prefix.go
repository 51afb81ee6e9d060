// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables/expr"

	"nftdict/dict"
)

// prefixes is the condition that an address is in one of the prefixes, or in
// none.
func (a Address) prefixes(not bool, prefixes []netip.Prefix) Statement {
	var spans []span
	var words []string
	for _, p := range prefixes {
		first, err := a.enc(p.Masked().Addr())
		if err != nil || !p.IsValid() {
			return a.broken(p.String(), fmt.Errorf("prefix %s: %w: want one of the family", p, dict.ErrInvalid))
		}
		spans = append(spans, span{first.data, last(p)})
		if p.IsSingleIP() {
			words = append(words, first.text)
		} else {
			words = append(words, p.Masked().String())
		}
	}
	if len(prefixes) != 1 || prefixes[0].IsSingleIP() {
		return a.within(not, spans, words)
	}
	op, mask := expr.CmpOpEq, maskOf(prefixes[0])
	if not {
		op = expr.CmpOpNeq
	}
	return statement{text: a.op(op) + words[0], make: func(b *builder) error {
		if n := prefixes[0].Bits() / 8; n > 0 && prefixes[0].Bits()%8 == 0 { // whole bytes
			if err := a.need(b); err != nil {
				return err
			}
			b.add(&expr.Payload{DestRegister: reg1, Base: a.bytes.base, Offset: a.bytes.offset, Len: uint32(n)})
			b.cmp(op, spans[0].lo[:n])
			return nil
		}
		if err := a.into(b, reg1); err != nil {
			return err
		}
		b.bitwise(mask, zeros(len(mask)))
		b.cmp(op, spans[0].lo)
		return nil
	}}
}

// maskOf returns the bits of a prefix that are fixed.
func maskOf(p netip.Prefix) []byte {
	mask := make([]byte, p.Addr().BitLen()/8)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return mask
}

// last returns the last address of a prefix.
func last(p netip.Prefix) []byte {
	out := p.Masked().Addr().AsSlice()
	for i, m := range maskOf(p) {
		out[i] |= ^m
	}
	return out
}

// From holds for packets that come from one of the prefixes, all of one family:
// `ip saddr` or `ip6 saddr`.
func From(prefixes ...netip.Prefix) Statement {
	if len(prefixes) > 0 && prefixes[0].Addr().Is6() {
		return IP6Saddr().Within(prefixes...)
	}
	return IPSaddr().Within(prefixes...)
}

// To holds for packets that go to one of the prefixes, all of one family.
func To(prefixes ...netip.Prefix) Statement {
	if len(prefixes) > 0 && prefixes[0].Addr().Is6() {
		return IP6Daddr().Within(prefixes...)
	}
	return IPDaddr().Within(prefixes...)
}
