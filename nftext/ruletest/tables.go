// SPDX-License-Identifier: MIT

package ruletest

import (
	"net/netip"

	"nftdict/dict"
	"nftdict/nftext"
)

// Tables returns the tables that the scenes use beside the standard ones:
//
//	values    key mark; a field of every type, and dTYPE with a default
//	numbers   key int
//	four six  keys of one address family
//	names     key string
//	None      open, key ct_id
//	loose     open, key mark
func Tables() []dict.Table {
	return []dict.Table{
		{Name: "values", Key: dict.KeyMark, Fields: []dict.Field{
			{Name: "b", Type: dict.Bool},
			{Name: "i", Type: dict.Int},
			{Name: "l", Type: dict.Int64, Aliases: []string{"long", "a-long"}},
			{Name: "a4", Type: dict.IPv4},
			{Name: "a6", Type: dict.IPv6},
			{Name: "a", Type: dict.Address},
			{Name: "e", Type: dict.Ether},
			{Name: "s", Type: dict.String},
			{Name: "db", Type: dict.Bool, Default: dict.BoolValue(false)},
			{Name: "di", Type: dict.Int, Default: dict.IntValue(-7)},
			{Name: "dl", Type: dict.Int64, Default: dict.Int64Value(1 << 40)},
			{Name: "da4", Type: dict.IPv4, Default: dict.AddrValue(netip.MustParseAddr("10.9.9.9"))},
			{Name: "da6", Type: dict.IPv6, Default: dict.AddrValue(netip.MustParseAddr("2001:db8::9"))},
			{Name: "da", Type: dict.Address, Default: dict.AddrValue(netip.MustParseAddr("10.9.9.9"))},
			{Name: "de", Type: dict.Ether, Default: dict.EtherValue([6]byte{2, 9, 9, 9, 9, 9})},
			{Name: "ds", Type: dict.String, Default: dict.MustString("none")},
		}},
		{Name: "numbers", Key: dict.KeyInt, Fields: []dict.Field{{Name: "i", Type: dict.Int}, {Name: "s", Type: dict.String}}},
		{Name: "four", Key: dict.KeyIPv4, Fields: []dict.Field{{Name: "i", Type: dict.Int}}},
		{Name: "six", Key: dict.KeyIPv6, Fields: []dict.Field{{Name: "i", Type: dict.Int}}},
		{Name: "names", Key: dict.KeyString, Fields: []dict.Field{{Name: "i", Type: dict.Int}, {Name: "next", Type: dict.String}}},
		{Name: nftext.DefaultTable, Key: dict.KeyCtID, Open: true},
		{Name: "loose", Key: dict.KeyMark, Open: true},
	}
}

// Schema is a nftext.Schema of fixed tables, in normal form.
type Schema []dict.Table

// NewSchema returns the standard tables and Tables.
func NewSchema() Schema {
	s := append(dict.Standard(1000), Tables()...)
	for i, t := range s {
		n, err := t.Normal()
		if err != nil {
			panic(err) // they are constant
		}
		s[i] = n
	}
	return s
}

// Table returns a table by name in any spelling, dict.ErrNotExist.
func (s Schema) Table(name string) (dict.Table, error) {
	for _, t := range s {
		if t.Name == dict.Name(name) {
			return t, nil
		}
	}
	return dict.Table{}, &dict.At{Table: name, Err: dict.ErrNotExist}
}
