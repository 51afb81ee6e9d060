// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"
	"net/netip"
	"strings"

	"nftdict/dict"
)

// newItem reads an operand as type asked and converts it to stored.
func newItem(o Operand, asked, stored dict.Type) (Item, error) {
	if asked == dict.String {
		g, err := CompileGlob(o.Text)
		if err != nil {
			return Item{}, err
		}
		text, ok := g.Literal()
		if !ok {
			return Item{Glob: g}, nil
		}
		v, err := dict.StringValue(text)
		return Item{Lo: v, Hi: v}, err
	}
	l := literal{lo: o.Text}
	if !o.Quoted {
		l = readLiteral(o.Text)
	}
	if l.form == formPrefix {
		return newPrefix(o.Text, asked)
	}
	if l.form == formSingle {
		v, err := readValue(asked, o.Text, stored)
		return Item{Lo: v, Hi: v}, err
	}
	if !ordered(asked) {
		return Item{}, fmt.Errorf("range %s: %w: %s has no ranges", o.Text, dict.ErrType, asked)
	}
	lo, err := readValue(asked, l.lo, stored)
	if err != nil {
		return Item{}, err
	}
	hi, err := readValue(asked, l.hi, stored)
	if err != nil {
		return Item{}, err
	}
	if compare(lo, hi) > 0 {
		return Item{}, fmt.Errorf("range %s: %w: the first is greater, write %s-%s", o.Text, dict.ErrRange, l.hi, l.lo)
	}
	return Item{Lo: lo, Hi: hi}, nil
}

func readValue(asked dict.Type, text string, stored dict.Type) (dict.Value, error) {
	v, err := dict.ParseValue(asked, text)
	if err != nil {
		return v, fmt.Errorf("%w%s", err, valueRemedy(asked, text))
	}
	return v.Convert(stored)
}

// valueRemedy says how values of a type are written.
func valueRemedy(t dict.Type, text string) string {
	switch t {
	case dict.Bool:
		return ", want true or false"
	case dict.Int, dict.Int64:
		if isNumber(text) {
			bits := 32
			if t == dict.Int64 {
				bits = 64
			}
			return fmt.Sprintf(", %s holds %d bits with a sign", t, bits)
		}
		return ", want a number such as 5, -5 or 0x1f, or a range such as 5-10"
	case dict.IPv4:
		return ", want an address, a prefix or a range such as 10.0.0.1, 10.0.0.0/8 or 10.0.0.1-10.0.0.9"
	case dict.IPv6:
		return ", want an address, a prefix or a range such as 2001:db8::1, 2001:db8::/32 or 2001:db8::1-2001:db8::9"
	case dict.Ether:
		return ", want an address such as 02:00:00:00:00:01"
	}
	return ""
}

// newPrefix reads an address prefix as the range it is; bits of the host part
// do not matter.
func newPrefix(text string, t dict.Type) (Item, error) {
	addr, _, _ := strings.Cut(text, "/")
	v, err := dict.ParseValue(t, addr)
	if err != nil || t != dict.IPv4 && t != dict.IPv6 {
		return Item{}, fmt.Errorf("prefix %s: %w: want %s%s", text, dict.ErrType, t, valueRemedy(t, text))
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return Item{}, fmt.Errorf("prefix %s: %w: want /0 to /%d", text, dict.ErrRange, v.Addr().BitLen())
	}
	hi := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < 8*len(hi); i++ {
		hi[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(hi)
	return Item{Lo: dict.AddrValue(p.Masked().Addr()), Hi: dict.AddrValue(last)}, nil
}

// compare orders two values of one ordered type.
func compare(a, b dict.Value) int {
	if a.Addr().IsValid() {
		return a.Addr().Compare(b.Addr())
	}
	switch x, y := a.Int64(), b.Int64(); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// has reports whether v, of the item's type, is in the item.
func (i *Item) has(v dict.Value) bool {
	switch {
	case i.Glob != nil:
		return i.Glob.Match(v.Str())
	case ordered(v.Type()):
		return compare(i.Lo, v) <= 0 && compare(v, i.Hi) <= 0
	}
	return v == i.Lo
}
