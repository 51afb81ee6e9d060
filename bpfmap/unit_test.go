// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
)

// TestSipHash checks the vectors of the algorithm's authors: the key 00 01 ..
// 0f, the inputs 00 01 .. of each length.
func TestSipHash(t *testing.T) {
	key := secret{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	input := ""
	for i, want := range []string{
		"a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45",
		"8177228da4a45dc7fca38bdef60affe4", "9c70b60c5267a94e5f33b6b02985ed51",
	} {
		d := key.sum(input)
		var b [16]byte
		for j := range b {
			b[j] = byte(d[j/8] >> (8 * (j % 8)))
		}
		if got := hex.EncodeToString(b[:]); got != want {
			t.Errorf("input of %d bytes: got %s, want %s", i, got, want)
		}
		input += string(rune(i))
	}
}

func TestKeys(t *testing.T) {
	s := secret{1, 2}
	name, err := dict.StringKey("alice")
	if err != nil {
		t.Fatal(err)
	}
	four := dict.AddrKey(netip.MustParseAddr("10.0.0.1"))
	six := dict.AddrKey(netip.MustParseAddr("2001:db8::1"))
	mapped := dict.AddrKey(netip.MustParseAddr("::ffff:10.0.0.1"))
	only := func(k dict.Key, kt dict.KeyType) dict.Key {
		k, err := k.Convert(kt)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	seen := map[rawKey]dict.Key{}
	for _, k := range []dict.Key{
		dict.CtID(0xfffffffe), dict.Mark(0xfffffffd), dict.IntKey(7), dict.EtherKey([6]byte{2, 0, 0, 0, 0, 1}),
		only(four, dict.KeyIPv4), only(six, dict.KeyIPv6), only(mapped, dict.KeyIPv6), four, six, mapped, name,
	} {
		var raw rawKey
		raw.encode(k, s)
		got, err := decodeKey(k.Type(), raw[:sizeOfKey(k.Type())], k.Str())
		if err != nil || got != k {
			t.Errorf("%s %s: decoded %s %s, %v", k.Type(), k, got.Type(), got, err)
		}
		if k.Type() == dict.KeyAddress {
			if other, dup := seen[raw]; dup {
				t.Errorf("%s and %s are one key", k, other)
			}
			seen[raw] = k
		}
		if raw.lock() >= 1<<32-1 {
			t.Errorf("%s: lock %d", k, raw.lock())
		}
	}
}

func TestRecords(t *testing.T) {
	tables := append(dict.Standard(1000), dict.Table{
		Name: "all", Key: dict.KeyString, Limit: 5, Timeout: time.Hour, Fields: []dict.Field{
			{Name: "b", Type: dict.Bool, Default: dict.BoolValue(true), Aliases: []string{"b2", "b3"}},
			{Name: "i", Type: dict.Int, Default: dict.IntValue(-5)},
			{Name: "l", Type: dict.Int64, Default: dict.Int64Value(-1 << 63)},
			{Name: "a4", Type: dict.Address, Default: dict.AddrValue(netip.MustParseAddr("10.0.0.1"))},
			{Name: "a6", Type: dict.Address, Default: dict.AddrValue(netip.MustParseAddr("::ffff:10.0.0.1"))},
			{Name: "e", Type: dict.Ether, Default: dict.EtherValue([6]byte{1, 2, 3, 4, 5, 6})},
			{Name: "s", Type: dict.String, Default: dict.MustString(strings.Repeat("x", dict.MaxString))},
			{Name: "empty", Type: dict.String, Default: dict.MustString("")},
		},
	}, dict.Table{Name: strings.Repeat("n", dict.MaxName), Key: dict.KeyCtID, Open: true, Bound: true})
	for _, table := range tables {
		table, err := table.Normal()
		if err != nil {
			t.Fatal(err)
		}
		fields := recordsOfFields(0, table.Fields)
		var read []record
		for _, r := range append([]record{recordOfTable(table, len(fields))}, fields...) {
			got, err := unmarshalRecord(r.marshal())
			if err != nil {
				t.Fatalf("table %s: record %s: %v", table.Name, r.name, err)
			}
			read = append(read, got)
		}
		if read[0].count != uint32(len(fields)) {
			t.Errorf("table %s: %d records, want %d", table.Name, read[0].count, len(fields))
		}
		got, err := schemaOf(read[0], read[1:])
		if err != nil {
			t.Fatal(err)
		}
		same := cmp.Comparer(func(a, b dict.Value) bool { return a == b })
		if diff := cmp.Diff(table, got, same); diff != "" {
			t.Errorf("table %s (-want +got):\n%s", table.Name, diff)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(recordOfTable(dict.Table{Name: "t", Key: dict.KeyMark, Limit: 1}, 0).marshal())
	for _, r := range recordsOfFields(3, []dict.Field{{Name: "s", Type: dict.String, Default: dict.MustString("x"), Aliases: []string{"y"}}}) {
		f.Add(r.marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := unmarshalRecord(b)
		if err != nil {
			return
		}
		again, err := unmarshalRecord(r.marshal())
		if err != nil || again != r {
			t.Fatalf("read %+v, again %+v, %v", r, again, err)
		}
	})
}

func TestLabels(t *testing.T) {
	for _, l := range []label{
		{tables: []uint32{1}, text: "dict t meta mark f 5"},
		{tables: []uint32{4294967295, 2}, carried: true, text: `dict sessions ct id application "NET FLIX"`},
	} {
		info, err := l.info(7)
		if err != nil || len(info) != infoSize {
			t.Fatalf("%s: %d bytes, %v", l.text, len(info), err)
		}
		got, ok := parseLabel(info)
		if diff := cmp.Diff(l, got, cmp.AllowUnexported(label{})); !ok || diff != "" {
			t.Errorf("%v (-want +got):\n%s", ok, diff)
		}
	}
	if _, err := (label{tables: []uint32{1}, text: strings.Repeat("x", 600)}).info(0); err == nil {
		t.Error("a text that is too long fits")
	}
	info, _ := label{tables: []uint32{1}, text: "dict x"}.info(7)
	info[0] = 1 // a pinned program of somebody else
	if _, ok := parseLabel(info); ok {
		t.Error("a match by path is taken for ours")
	}
}

func FuzzRule(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 8, 0, 1, 0, 't', 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		parseRule(data)
		parseMatch("match", data)
		parseLabel(data)
	})
}

// TestPlaces: no table asks for more places than the kernel gives.
func TestPlaces(t *testing.T) {
	table := dict.Table{Name: "t", Key: dict.KeyString, Limit: maxLimit, Fields: []dict.Field{{Name: "a", Type: dict.String}}}
	if narrow, wide := cellLimits(table); narrow > 1<<27 || wide > 1<<27 {
		t.Errorf("limit %d: %d and %d places", maxLimit, narrow, wide)
	}
}
