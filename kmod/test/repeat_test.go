// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
)

// shape is what rows have in common that follow each other: the cells' fields
// in the order in which they are written, and how long the strings are.
type shape struct {
	fields []uint32
	length int
	flags  bool // nests say that they are ones
}

func anyShape(r *rand.Rand) shape {
	s := shape{length: r.IntN(9), flags: r.IntN(4) > 0}
	if r.IntN(8) == 0 {
		s.length = 120 + r.IntN(9)
	}
	for i := range uint32(5) {
		if r.IntN(3) > 0 {
			s.fields = append(s.fields, i)
		}
	}
	if r.IntN(6) == 0 && len(s.fields) > 0 {
		s.fields = append(s.fields, s.fields[r.IntN(len(s.fields))])
	}
	if r.IntN(6) == 0 {
		r.Shuffle(len(s.fields), func(i, j int) { s.fields[i], s.fields[j] = s.fields[j], s.fields[i] })
	}
	return s
}

// cells returns the cells of a row, and what they put; nil if one is wrong.
func (s shape) cells(r *rand.Rand, wrong bool) (out []byte, put map[uint32]string) {
	put = map[uint32]string{}
	bad := -1
	if wrong && len(s.fields) > 0 {
		bad = r.IntN(len(s.fields))
	}
	for i, f := range s.fields {
		text := strings.Repeat(string('a'+rune(r.IntN(26))), s.length)
		n := r.Uint32() >> 1
		var value []byte
		switch f {
		case 0, 4:
			put[f] = string([]byte{byte(n & 1)})
			value = attr(uint16(dict.Bool), []byte(put[f]))
		case 1:
			put[f] = string(binary.NativeEndian.AppendUint32(nil, n))
			value = attr(uint16(dict.Int), []byte(put[f]))
		case 2:
			put[f] = string(binary.NativeEndian.AppendUint64(nil, uint64(n)))
			value = attr(uint16(dict.Int64), []byte(put[f]))
			if s.length%2 == 0 { // an int does, too
				value = attr(uint16(dict.Int), []byte(put[f][:4]))
				put[f] = string(binary.NativeEndian.AppendUint64(nil, uint64(binary.NativeEndian.Uint32([]byte(put[f])))))
			}
		case 3:
			put[f] = text
			value = attr(uint16(dict.String), []byte(text))
		}
		if i == bad {
			switch {
			case f == 0 || f == 4:
				value = attr(uint16(dict.Bool), []byte{2})
			case f == 3 && s.length > 0:
				value = attr(uint16(dict.String), []byte(text[1:]), []byte{0xff})
			default:
				value = attr(uint16(dict.Ether), make([]byte, 6))
			}
		}
		typ := uint16(rowCell)
		if s.flags {
			typ |= 0x8000
		}
		out = append(out, attr(typ, num(cellField, f), value)...)
	}
	if bad >= 0 {
		return out, nil
	}
	return out, put
}

// TestRepeat: rows of a request that are made like those before them, or nearly
// so, new or not, right or wrong, are put as if each came alone.
func TestRepeat(t *testing.T) {
	newHost(t)
	f := newFamily(t)
	f.table(t, "rows", dict.KeyInt, 0, field("a", dict.Bool), field("b", dict.Int), field("c", dict.Int64), field("d", dict.String), field("e", dict.Bool))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	want := map[uint32]map[uint32]string{}
	for request := range 150 {
		s := anyShape(r)
		body := text(attrTable, "rows")
		var refusals []uint32
		for i := range uint32(60) {
			if r.IntN(8) == 0 {
				s = anyShape(r)
			}
			key := uint32(request)*60 + i
			if r.IntN(10) == 0 {
				key = r.Uint32N(key + 1)
			}
			cells, put := s.cells(r, r.IntN(15) == 0)
			name := intKey(key)
			if r.IntN(40) == 0 {
				name, put = name[:3], nil
			}
			body = append(body, row(name, cells)...)
			if put == nil {
				refusals = append(refusals, i)
				continue
			}
			if want[key] == nil {
				want[key] = map[uint32]string{}
			}
			maps.Copy(want[key], put)
		}
		var got []uint32
		for _, answer := range f.must(t, cmdRowPut, body) {
			for _, p := range split(t, answer) {
				if p.typ == attrRefusal {
					index, _ := find(t, p.data, refusalIndex)
					got = append(got, index.num())
				}
			}
		}
		if !slices.Equal(got, refusals) {
			t.Fatalf("request %d: rows %d were refused, want %d", request, got, refusals)
		}
	}
	if diff := cmp.Diff(want, told(t, f)); diff != "" {
		t.Errorf("(-put +told):\n%s", diff)
	}
	f.must(t, cmdFlush, text(attrTable, "rows"))
	if n := f.count(t, "rows", attrBytes); n != 0 {
		t.Errorf("%d bytes are charged for no rows", n)
	}
}

// told returns all rows of the table: what each field holds, by key.
func told(t *testing.T, f *family) map[uint32]map[uint32]string {
	answers, _, err := f.dump(cmdRowGet, text(attrTable, "rows"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[uint32]map[uint32]string{}
	for _, answer := range answers {
		for _, p := range split(t, answer) {
			if p.typ != attrRow {
				continue
			}
			fields := map[uint32]string{}
			for _, c := range split(t, p.data) {
				switch c.typ {
				case rowKey:
					out[c.num()] = fields
				case rowCell:
					index, _ := find(t, c.data, cellField)
					for _, v := range split(t, c.data) {
						if v.typ < cellField {
							fields[index.num()] = string(v.data)
						}
					}
				}
			}
		}
	}
	return out
}
