// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"

	"nftdict/dict"
)

// value binds a Value.
func (b binder) value(v *Value) (*Load, error) {
	ref, asked, err := b.lookup(&v.Lookup)
	if err != nil {
		return nil, err
	}
	l := &Load{Ref: *ref, narrow: asked == dict.Int, term: v}
	switch asked {
	case 0:
		err = fmt.Errorf("%w: table %s is open, write the type behind the field", dict.ErrType, l.Table.Name)
	case dict.Address:
		err = fmt.Errorf("%w: it is an address of either family, write ipv4_addr or ipv6_addr behind the field", dict.ErrType)
	}
	if err != nil {
		return nil, fieldError(&l.Table, &v.Lookup, about(&v.Field, err))
	}
	l.Type = l.stored(asked)
	l.restrictDefault()
	return l, nil
}

// Class returns what nft takes the value for where it makes that use of it. A
// use that it cannot be of is dict.ErrType.
func (l *Load) Class(use Use) (Class, error) {
	number := l.Type == dict.Int || l.Type == dict.Int64
	address := l.Type == dict.IPv4 || l.Type == dict.IPv6
	var want string
	switch {
	case use == UseAddress && !address:
		want = "an address"
	case use == UseLink && l.Type != dict.Ether:
		want = "an ether_addr"
	case (use == UsePort || use == UseNumber) && !number:
		want = "a number"
	case use == UseBits && !number && !address:
		want = "a number or an address"
	case use == UseListed && l.Type == dict.Int64 && !l.narrow:
		err := fmt.Errorf("%w: nft lists numbers of 64 bits wrongly in a concatenation that is the key of a map in braces, name the map, or write int behind the field for 32 bits", dict.ErrNotSupported)
		return 0, fieldError(&l.Table, &l.term.Lookup, about(&l.term.Field, err))
	case use == UsePort:
		return ClassInteger16, nil
	case l.Type == dict.IPv4:
		return ClassIPv4, nil
	case l.Type == dict.IPv6:
		return ClassIPv6, nil
	case l.Type == dict.String:
		return ClassName, nil
	case l.Type == dict.Bool:
		return ClassBool, nil
	case l.Type == dict.Ether:
		return ClassEther, nil
	case l.Type == dict.Int64 && !l.narrow && (use == UseMatch || use == UseKey || use == UseBits):
		return ClassInteger64, nil
	default:
		return ClassInteger, nil
	}
	err := fmt.Errorf("%w: it is %s, nft wants %s here", dict.ErrType, l.Type, want)
	return 0, fieldError(&l.Table, &l.term.Lookup, about(&l.term.Field, err))
}
