// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// TestRowsAtomic: while two fields of a row are written together, over and over,
// no packet finds one of them newer than the other in the order in which it
// looks, none finds half a value, and none finds nothing; nor does who asks for
// the row or lists it.
func TestRowsAtomic(t *testing.T) {
	h := newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	f.table(t, "pairs", dict.KeyIPv4, 0, field("a", dict.Int64), field("b", dict.Int64), field("s", dict.String), field("t", dict.String), field("six", dict.IPv6))
	f.table(t, "scratch", dict.KeyIPv4, 0, field("ab", dict.Int64), field("ba", dict.Int64))
	h.chain(t)
	key := []byte{127, 0, 0, 1}
	// Two strings and two addresses of which no mixture is one.
	state := func(n int64) []byte {
		c, ip := "a", "1111:1111:1111:1111:1111:1111:1111:1111"
		if n%2 == 1 {
			c, ip = "b", "2222:2222:2222:2222:2222:2222:2222:2222"
		}
		return row(key, cell("a", dict.Int64Value(n)), cell("b", dict.Int64Value(n)), cell("s", dict.MustString(strings.Repeat(c, 128))),
			cell("t", dict.MustString(strings.Repeat(c, 1+int(n%128)))), cell("six", dict.AddrValue(addrOf(ip))))
	}
	if err := f.put(t, "pairs", state(0)); err != nil {
		t.Fatal(err)
	}
	saddr := stock(t, r.family, &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4})
	counter := stock(t, r.family, &expr.Counter{})
	pair := func(typ uint16, name string) []byte { return lookup(typ, "pairs", name, dict.Int64, byReg(4)) }
	scratch := func(op uint32, name string, more ...[]byte) []byte {
		return dictExpr(append([][]byte{big(exprOp, op), lookup(exprLookup, "scratch", name, dict.Int64, byReg(4))}, more...)...)
	}
	// One CPU's packets at a time would do: but scratch is one row, so all
	// packets are of one thread.
	newer := func(name, first, then string) []byte {
		return cat(saddr, scratch(opSet, name, pair(exprSource, first)), scratch(opSub, name, pair(exprSource, then)),
			dictExpr(big(exprOp, opMatch), lookup(exprLookup, "scratch", name, dict.Int64, byReg(4)), big(exprCmp, cmpGt), items(lo(dict.Int64Value(0)))), counter)
	}
	both := strings.Repeat("a", 128) + `", "` + strings.Repeat("b", 128)
	rules := []struct {
		name  string
		exprs []byte
		holds bool // of every packet, else of none
	}{
		{"a newer than b", newer("ab", "a", "b"), false},
		{"b newer than a", newer("ba", "b", "a"), false},
		{"a missing", cat(h.compile(t, "dict pairs ip saddr a missing"), counter), false},
		{"t missing", cat(h.compile(t, "dict pairs ip saddr t missing"), counter), false},
		{"s whole", cat(h.compile(t, `dict pairs ip saddr s { "`+both+`" }`), counter), true},
		{"t of one letter", cat(h.compile(t, `dict pairs ip saddr t "*ab*"`), counter), false},
		{"t of the other letter", cat(h.compile(t, `dict pairs ip saddr t "*ba*"`), counter), false},
		{"address whole", cat(h.compile(t, "dict pairs ip saddr six { 1111:1111:1111:1111:1111:1111:1111:1111, 2222:2222:2222:2222:2222:2222:2222:2222 }"), counter), true},
	}
	var messages []message
	for _, rule := range rules {
		messages = append(messages, r.rule("c", rule.exprs))
	}
	if err := r.batch(messages...); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var writes atomic.Int64
	others := crowd(t, 3, func(i int) error {
		s, err := openSocket(unix.NETLINK_GENERIC)
		if err != nil {
			return err
		}
		defer unix.Close(s.fd)
		mine := &family{socket: s, id: f.id}
		for n := int64(1); !stop.Load(); n++ {
			if i == 0 {
				if _, err := mine.do(cmdRowPut, text(attrTable, "pairs"), state(n)); err != nil {
					return err
				}
				writes.Store(n)
				continue
			}
			var rows [][]byte
			if i == 1 {
				rows, err = mine.do(cmdRowGet, text(attrTable, "pairs"), row(key))
			} else {
				rows, _, err = mine.dump(cmdRowGet, text(attrTable, "pairs"))
			}
			if err != nil {
				return err
			}
			if err := samePair(t, rows); err != nil {
				return err
			}
		}
		return nil
	})
	packets := uint64(0)
	crowd(t, 1, func(int) error {
		// However slow the machine is: it takes so many to meet.
		for begin := time.Now(); (writes.Load() < 300 || packets < 3000) && time.Since(begin) < 5*time.Minute; packets += 100 {
			if err := flood(h, 100, 10); err != nil {
				return err
			}
		}
		return nil
	}).Wait()
	stop.Store(true)
	others.Wait()
	for i, l := range r.list(t, "c") {
		if want := map[bool]uint64{true: packets}[rules[i].holds]; l.packets != want {
			t.Errorf("%s: for %d packets, want %d", rules[i].name, l.packets, want)
		}
	}
	if n := writes.Load(); n < 100 {
		t.Errorf("only %d writes", n)
	} else {
		t.Logf("%d writes, %d packets", n, packets)
	}
}

// samePair checks that answers tell one row whose a and b are alike.
func samePair(tb testing.TB, answers [][]byte) error {
	var values []uint64
	for _, b := range answers {
		for _, p := range split(tb, b) {
			if p.typ != attrRow {
				continue
			}
			for _, c := range split(tb, p.data) {
				if c.typ != rowCell {
					continue
				}
				if v, ok := find(tb, c.data, uint16(dict.Int64)); ok {
					values = append(values, v.num64())
				}
			}
		}
	}
	if len(values) != 2 || values[0] != values[1] {
		return fmt.Errorf("a and b are %v", values)
	}
	return nil
}
