// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"strings"

	"github.com/google/nftables"

	"nftdict/dict"
	"nftdict/nftext"
)

// DictKey is what a dictionary's field holds, as a key of the kind that like is:
// to be looked up in sets and maps, to set marks, to translate addresses.
//
//	MetaMark().SetFrom(DictKey("dict users dict sessions ct id username mark", MetaMark().Key))
//	DNAT(NAT{From: DictKey("dict hosts ip saddr redirect_address", IPDaddr().Key)})
//
// Where the field is missing, and has no default, the rule ends. Numbers lose
// their sign. Of the backends the module alone does this; conditions on the
// field are Dict, on both.
func DictKey[T any](text string, like Key[T]) Key[T] {
	like.text = text
	if v, n, err := nftext.ParseValue(text); err == nil && n == len(text) {
		like.text = v.String()
	}
	like.l3, like.l4, like.ether, like.mask, like.learn = 0, 0, false, nil, nil
	class := classOf(like.key)
	like.load = func(b *builder, reg uint32) {
		if err := b.value(text, class, reg); err != nil {
			b.err = err
		}
	}
	return like
}

// DictName is DictKey for text: of at most 15 bytes, for sets and maps of names.
// A longer text in the field is none of them.
func DictName(text string) Key[string] {
	k := DictKey(text, IIFName())
	k.enc = func(s string) (value, error) {
		b := make([]byte, nftables.TypeIFName.Bytes)
		if s == "" || len(s) >= len(b) || strings.ContainsAny(s, "\x00\"\n") {
			return value{}, fmt.Errorf("text %s: %w: want 1 to %d bytes, no quotes", dict.Quote(s), dict.ErrInvalid, len(b)-1)
		}
		copy(b, s)
		return value{data: b, text: quote(s)}, nil
	}
	return k
}

// classOf returns what nft takes a key for, 0 if it is nothing that fields hold.
func classOf(k key) nftext.Class {
	switch {
	case k.typ.GetNFTMagic() == nftables.TypeIPAddr.GetNFTMagic():
		return nftext.ClassIPv4
	case k.typ.GetNFTMagic() == nftables.TypeIP6Addr.GetNFTMagic():
		return nftext.ClassIPv6
	case k.typ.GetNFTMagic() == nftables.TypeIFName.GetNFTMagic():
		return nftext.ClassName
	case k.typ.GetNFTMagic() == nftables.TypeEtherAddr.GetNFTMagic():
		return nftext.ClassEther
	case k.typ.GetNFTMagic() == nftables.TypeBoolean.GetNFTMagic():
		return nftext.ClassBool
	case k.typ.Bytes == 2 && !k.host:
		return nftext.ClassInteger16
	case k.typ.Bytes == 4 && k.host:
		return nftext.ClassInteger
	case k.typ.Bytes == 8 && !k.host:
		return nftext.ClassInteger64
	}
	return 0
}

// value compiles a field's value into a register.
func (b *builder) value(text string, class nftext.Class, reg uint32) error {
	if class == 0 {
		return fmt.Errorf("%w: no field holds such a key", dict.ErrType)
	}
	v, n, err := nftext.ParseValue(text)
	if err != nil {
		return err
	}
	if n != len(text) {
		return fmt.Errorf("%s behind a dict term: %w", dict.Quote(text[n:]), dict.ErrInvalid)
	}
	bound, err := b.bind(v)
	if err != nil {
		return err
	}
	return b.compile(nftext.Target{Class: class, Register: reg}, bound)
}
