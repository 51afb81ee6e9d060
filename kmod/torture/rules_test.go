// SPDX-License-Identifier: MIT

package torture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// loadConstants reads the enums of ../nft_dict_uapi.h: numbers by name.
func loadConstants(tb testing.TB) map[string]int {
	tb.Helper()
	f, err := os.Open("../nft_dict_uapi.h")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	entry := regexp.MustCompile(`^\t(NFTA?_[A-Z0-9_]+)(?: = ([A-Z0-9_]+))?,`)
	constants, next := map[string]int{}, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "enum ") {
			next = 0
		}
		m := entry.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		if n, err := strconv.Atoi(m[2]); err == nil {
			next = n
		} else if m[2] != "" {
			next = constants[m[2]]
		}
		constants[m[1]] = next
		next++
	}
	if len(constants) < 60 {
		tb.Fatalf("%d constants in nft_dict_uapi.h", len(constants))
	}
	return constants
}

// ruler makes expressions that are right, mostly, for the tables of ruleTables.
type ruler struct {
	*writer
	c      map[string]int
	family uint8 // of the rule
}

// ruleTables returns the messages that make the tables of rules: one for each
// type of keys, with a field of each type, and one that is open. In some of them
// rows live for a second, if they are to be mortal.
func ruleTables(mortal bool) (list [][]*node) {
	for i, key := range tableNames {
		t := []*node{text(attrTable, key), u32(attrKeyType, uint32(i+1)), u32(attrLimit, uint32(20+1000*(i%2)))}
		if i == 0 {
			t = append(t, u32(attrFlags, 1))
		}
		if mortal && i%3 == 1 {
			t = append(t, u32(attrTimeout, 1))
		}
		for j, f := range fieldNames {
			t = append(t, nest(attrField, text(fieldName, f), u32(fieldType, uint32(j+1))))
		}
		list = append(list, t)
	}
	return append(list, []*node{text(attrTable, "mark_open"), u32(attrKeyType, 6), u32(attrLimit, 50), u32(attrFlags, 2)})
}

// widths are the bytes that a register holds of a key or value, by name; 0 for
// none.
var widths = map[string]int{"bool": 1, "int": 4, "mark": 4, "int64": 8, "ipv4": 4, "ipv6": 16, "address": 4, "ether": 6, "string": 64, "ct-id": 0}

// register fills a register by immediates, and returns the expressions.
func (w *ruler) register(reg, size int) (list []*node) {
	data := noise(w.Rand, size)
	if size >= 4 {
		copy(data, []byte{2, 0, 0, 0}) // so that few keys come of it
		clear(data[4:])
	}
	if size == 64 && chance(w.Rand, 2) {
		copy(data, "key\x00")
	}
	for ; len(data) > 0; reg++ {
		n := min(16, len(data))
		list = append(list, expression("immediate", be32(unix.NFTA_IMMEDIATE_DREG, uint32(reg)),
			nest(unix.NFTA_IMMEDIATE_DATA, raw(unix.NFTA_DATA_VALUE, data[:n]))))
		data = data[n:]
	}
	return list
}

// lookup makes a lookup of a value of a type, nested up to a depth, and adds
// what fills its registers to before.
func (w *ruler) lookup(attr string, kind int, field bool, depth int, before *[]*node) *node {
	table := w.IntN(len(tableNames))
	if w.bare() && !chance(w.Rand, 50) {
		table = 1 + w.IntN(len(tableNames)-1)
	}
	if attr == "ATTACH" {
		table, attr = 0, "NFTA_DICT_LOOKUP"
	}
	n := nest(w.c[attr], text(w.c["NFTA_DICT_LOOKUP_TABLE"], tableNames[table]))
	if table != 0 && chance(w.Rand, 8) {
		table = 5
		n.kids[0] = text(w.c["NFTA_DICT_LOOKUP_TABLE"], "mark-open")
	}
	if field {
		n.kids = append(n.kids, text(w.c["NFTA_DICT_LOOKUP_FIELD"], fieldNames[kind]), be32(w.c["NFTA_DICT_LOOKUP_TYPE"], uint32(kind+1)))
	}
	width := widths[tableNames[table]]
	switch {
	case width == 0:
		n.kids = append(n.kids, raw(w.c["NFTA_DICT_LOOKUP_CT"], nil))
	case depth > 0 && chance(w.Rand, 3):
		from := map[string]int{"ipv4": 3, "ipv6": 4, "address": 5, "ether": 6, "mark": 1, "int": 2, "string": 7}[tableNames[table]]
		n.kids = append(n.kids, w.lookup("NFTA_DICT_LOOKUP_NESTED", from, true, depth-1, before))
	default:
		reg := 1 + w.IntN(3)
		if width == 64 {
			reg = 1
		}
		*before = append(*before, w.register(reg, width)...)
		n.kids = append(n.kids, be32(w.c["NFTA_DICT_LOOKUP_SREG"], uint32(reg)), be32(w.c["NFTA_DICT_LOOKUP_LEN"], uint32(width)))
	}
	return n
}

// dict makes an expression, and what has to stand before it.
func (w *ruler) dict() (list []*node) {
	op := w.c["NFT_DICT_LOAD"] + w.IntN(w.c["NFT_DICT_ATTACH"])
	kind := w.IntN(len(fieldNames))
	if op == w.c["NFT_DICT_ADD"] || op == w.c["NFT_DICT_SUB"] {
		kind = 1 + w.IntN(2)
	} else if fieldNames[kind] == "address" {
		kind = 3
	}
	lookup := "NFTA_DICT_LOOKUP"
	if op == w.c["NFT_DICT_ATTACH"] {
		if w.bare() {
			return nil
		}
		lookup = "ATTACH"
	}
	field := op != w.c["NFT_DICT_FLUSH"] && op != w.c["NFT_DICT_ATTACH"]
	width := uint32(widths[fieldNames[kind]])
	var attrs []*node
	switch op {
	case w.c["NFT_DICT_LOAD"]:
		attrs = []*node{be32(w.c["NFTA_DICT_DREG"], 1), be32(w.c["NFTA_DICT_LEN"], width)}
	case w.c["NFT_DICT_MATCH"]:
		attrs = w.match(kind)
	case w.c["NFT_DICT_SET"], w.c["NFT_DICT_ADD"], w.c["NFT_DICT_SUB"]:
		switch w.IntN(4) {
		case 3:
			attrs = []*node{be32(w.c["NFTA_DICT_PACKET"], uint32(w.c["NFT_DICT_PACKET_LENGTH"]))}
		case 0:
			attrs = []*node{nest(w.c["NFTA_DICT_VALUE"], w.value(kind))}
		case 1:
			attrs = []*node{w.lookup("NFTA_DICT_SOURCE", kind, true, 2, &list)}
		default:
			list = append(list, w.register(1, int(width))...)
			attrs = []*node{be32(w.c["NFTA_DICT_SREG"], 1), be32(w.c["NFTA_DICT_LEN"], width)}
		}
	}
	attrs = append(attrs, be32(w.c["NFTA_DICT_OP"], uint32(op)), w.lookup(lookup, kind, field, 2, &list))
	if chance(w.Rand, 4) {
		attrs = append(attrs, text(w.c["NFTA_DICT_TEXT"], strings.Repeat("t", w.IntN(481))))
	}
	return append(list, expression("dict", attrs...))
}

// match makes what a match compares with.
func (w *ruler) match(kind int) []*node {
	cmp := w.c["NFT_DICT_EQ"] + w.IntN(w.c["NFT_DICT_MISSING"])
	attrs := []*node{be32(w.c["NFTA_DICT_CMP"], uint32(cmp))}
	if cmp >= w.c["NFT_DICT_EXISTS"] {
		return attrs
	}
	ordered := strings.HasPrefix(fieldNames[kind], "i") // int, int64, ipv4, ipv6
	if !ordered {
		cmp = w.c["NFT_DICT_EQ"] + w.IntN(2)
		attrs[0] = be32(w.c["NFTA_DICT_CMP"], uint32(cmp))
	}
	items := nest(w.c["NFTA_DICT_ITEMS"])
	count := 1
	if cmp <= w.c["NFT_DICT_NE"] {
		count = pick(w.Rand, 1, 1, 2, 5, 32)
	}
	for range count {
		item := nest(unix.NFTA_LIST_ELEM)
		if fieldNames[kind] == "string" && chance(w.Rand, 2) {
			item.kids = append(item.kids, raw(w.c["NFTA_DICT_ITEM_TOKENS"], w.glob()))
			if chance(w.Rand, 2) {
				item.kids = append(item.kids, raw(w.c["NFTA_DICT_ITEM_CLASSES"], noise(w.Rand, 64)))
			}
		} else {
			item.kids = append(item.kids, nest(w.c["NFTA_DICT_ITEM_LO"], w.value(kind)))
			if ordered && cmp <= w.c["NFT_DICT_NE"] && chance(w.Rand, 4) {
				item.kids = append(item.kids, nest(w.c["NFTA_DICT_ITEM_HI"], raw(kind+1, bytes.Repeat([]byte{0x7f}, widths[fieldNames[kind]]))))
			}
		}
		items.kids = append(items.kids, item)
	}
	return append(attrs, items)
}

// glob makes the tokens of a glob.
func (w *ruler) glob() (b []byte) {
	for range pick(w.Rand, 1, 3, 10, 128) {
		b = binary.NativeEndian.AppendUint16(b, uint16(pick(w.Rand, 'v', 'k', 256, 257, 257, 'v', w.IntN(256))))
	}
	return b
}

// rule makes the expressions of a rule.
func (w *ruler) rule() (list []*node) {
	for range 1 + w.IntN(4) {
		list = append(list, w.dict()...)
	}
	if chance(w.Rand, 3) {
		list = append(list, expression("counter"))
	}
	return list
}

// bare reports whether packets of the family have no conntrack entry.
func (w *ruler) bare() bool {
	return w.family == unix.NFPROTO_ARP || w.family == unix.NFPROTO_NETDEV
}

func newRuler(r *rand.Rand, s *spec, c map[string]int) *ruler {
	return &ruler{writer: &writer{Rand: r, spec: s}, c: c}
}
