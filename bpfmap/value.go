// SPDX-License-Identifier: MIT

package bpfmap

import (
	"fmt"

	"nftdict/dict"
)

// words returns a value that is no string as the two numbers of a cell.
// Signed numbers are extended to 64 bits; an IPv4 address is in the first.
func words(v dict.Value) [2]uint64 {
	switch v.Type() {
	case dict.Bool:
		if v.Bool() {
			return [2]uint64{1}
		}
	case dict.Int, dict.Int64:
		return [2]uint64{uint64(v.Int64())}
	case dict.IPv4:
		return [2]uint64{addrWords(v.Addr())[1]}
	case dict.IPv6:
		return addrWords(v.Addr())
	case dict.Ether:
		return [2]uint64{etherNumber(v.Ether())}
	}
	return [2]uint64{}
}

// encode writes a value into a request.
func (c *writerCellReq) encode(field int, v dict.Value, s secret) {
	c.Field = uint32(field)
	c.Type = uint32(v.Type())
	c.State = 0 // what an earlier request left there would be undone with this one
	if v.Type() != dict.String {
		c.Value.Digest = words(v)
		return
	}
	text := v.Str()
	c.Value.Digest = s.sum(text)
	c.Value.Len = uint32(len(text))
	n := copy(c.Value.Bytes[:], text)
	clear(c.Value.Bytes[n:])
}

// encodeAmount writes an amount into a request, false if it is no number.
// start is where counting starts without a value: a field's default, or none.
func (c *writerCellReq) encodeAmount(field int, v, start dict.Value) bool {
	if t := v.Type(); t != dict.Int && t != dict.Int64 {
		return false
	}
	c.encode(field, v, secret{})
	c.Start = words(start)[0]
	return true
}

// decode returns the value that an answer holds. The error wraps
// dict.ErrInvalid: something else wrote into our maps.
func (c *writerCellReq) decode() (dict.Value, error) {
	w := c.Value.Digest
	switch t := dict.Type(c.Type); t {
	case dict.Bool:
		return dict.BoolValue(w[0] != 0), nil
	case dict.Int:
		return dict.IntValue(int32(w[0])), nil
	case dict.Int64:
		return dict.Int64Value(int64(w[0])), nil
	case dict.IPv4:
		return dict.AddrValue(wordsAddr(4, [2]uint64{1: w[0]})), nil
	case dict.IPv6:
		return dict.AddrValue(wordsAddr(6, w)), nil
	case dict.Ether:
		return dict.EtherValue(etherBytes(w[0])), nil
	case dict.String:
		if c.Value.Len <= dict.MaxString {
			return dict.StringValue(string(c.Value.Bytes[:c.Value.Len]))
		}
		fallthrough
	default:
		return dict.Value{}, fmt.Errorf("stored value of %s: %w", t, dict.ErrInvalid)
	}
}
