// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// copies is how many rules of a kind stand in a packet's way.
const copies = 40

// now returns the time, which is the number of instructions where the guest
// counts them.
func now(tb testing.TB) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &t); err != nil {
		tb.Fatal(err)
	}
	return t.Nano()
}

// largeSet makes a set of many elements in the chain's table, and returns the
// expressions that look a key up in it.
func largeSet(b *testing.B, name string, key nftables.SetDatatype, load expr.Any, n int) func(h *host) []byte {
	return func(h *host) []byte {
		conn, err := nftables.New()
		if err != nil {
			b.Fatal(err)
		}
		set := &nftables.Set{Table: h.table, Name: name, KeyType: key}
		var elems []nftables.SetElement
		for i := range n {
			elems = append(elems, nftables.SetElement{Key: binary.BigEndian.AppendUint32(nil, uint32(i)+0x20000000)})
			if len(elems) == 1000 || i == n-1 {
				if i < 1000 {
					err = conn.AddSet(set, elems)
				} else {
					err = conn.SetAddElements(set, elems)
				}
				if err != nil {
					b.Fatal(err)
				}
				if err := conn.Flush(); err != nil {
					b.Fatal(err)
				}
				elems = nil
			}
		}
		return marshal(b, load, &expr.Lookup{SourceRegister: 1, SetName: name})
	}
}

// BenchmarkRule is what a rule costs that does not match, ct id and address
// beside sets of nft's own. `vm exec -counted` makes a nanosecond of it an
// instruction.
func BenchmarkRule(b *testing.B) {
	native := func(f func(h *host) []byte) func(*testing.B, *host) []byte {
		return func(_ *testing.B, h *host) []byte { return f(h) }
	}
	term := func(text string) func(*testing.B, *host) []byte {
		return func(b *testing.B, h *host) []byte { return h.compile(b, text) }
	}
	source := &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4}
	for _, c := range []struct {
		name  string
		exprs func(*testing.B, *host) []byte
	}{
		{"native ct id in set", native(largeSet(b, "ids", nftables.TypeInteger, &expr.Ct{Key: unix.NFT_CT_ID, Register: 1}, 100_000))},
		{"native ip saddr in set", native(largeSet(b, "addresses", nftables.TypeIPAddr, source, 100_000))},
		{"dict sessions bool", term("dict sessions ct id final true")},
		{"dict sessions string", term(`dict sessions ct id application "YOUTUBE"`)},
		{"dict sessions glob", term(`dict sessions ct id application "*TUBE*"`)},
		{"dict sessions missing row", term(`dict sessions ct id username "x"`)},
		{"dict hosts string", term(`dict hosts ip saddr username "bob"`)},
		{"dict users nested", term("dict users dict sessions ct id username quota_exceeded true")},
		{"dict hosts sub", term("dict hosts ip saddr quota_remaining sub meta length")},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := newHost(b)
			h.standard(b)
			exprs := func() []byte { h.chain(b); return c.exprs(b, h) }()
			least := cost(b, h, exprs)
			b.ReportMetric(least, "ns/rule")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cost returns what one of copies rules costs a packet, in nanoseconds.
func cost(b *testing.B, h *host, exprs []byte) float64 {
	const packets = 300
	best := func() float64 {
		least := 0.0
		for range 5 {
			start := now(b)
			for range packets {
				h.send(b)
			}
			if d := float64(now(b)-start) / packets; least == 0 || d < least {
				least = d
			}
		}
		return least
	}
	base := best()
	list := make([][]byte, copies)
	for i := range list {
		list[i] = exprs
	}
	if err := h.rules(list...); err != nil {
		b.Fatal(err)
	}
	return (best() - base) / copies
}

// BenchmarkPut is what a row of four fields costs the kernel, many to a
// message, and the memory that it takes.
func BenchmarkPut(b *testing.B) {
	for _, rows := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			h := newHost(b)
			t := dict.Table{Name: "four", Key: dict.KeyInt, Limit: 1 << 21, Fields: []dict.Field{
				{Name: "a", Type: dict.Bool}, {Name: "b", Type: dict.Int}, {Name: "c", Type: dict.Int64}, {Name: "d", Type: dict.String},
				{Name: "e", Type: dict.Bool}}}
			if err := h.store.AddTable(t); err != nil {
				b.Fatal(err)
			}
			conn, family := dial(b)
			sum := int64(0)
			for from := 0; from < rows; from += 500 {
				m := genetlink.Message{Header: genetlink.Header{Command: cmdRowPut, Version: 1}, Data: fourFields(b, from, 500)}
				start := now(b)
				if _, err := conn.Send(m, family.ID, netlink.Request); err != nil {
					b.Fatal(err)
				}
				sum += now(b) - start
				if _, _, err := conn.Receive(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(sum)/float64(rows), "ns/row")
			b.ReportMetric(float64(h.bytes(b, "four"))/float64(rows), "B/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fourFields returns the body of a message that puts n rows.
func fourFields(b *testing.B, from, n int) []byte {
	enc := netlink.NewAttributeEncoder()
	enc.ByteOrder = binary.NativeEndian
	enc.String(attrTable, "four")
	enc.Uint32(attrTableID, 1)
	for i := range n {
		enc.Nested(attrRow, func(row *netlink.AttributeEncoder) error {
			row.ByteOrder = binary.NativeEndian
			row.Uint32(rowKey, uint32(from+i))
			cell := func(field uint32, f func(*netlink.AttributeEncoder)) {
				row.Nested(rowCell, func(c *netlink.AttributeEncoder) error {
					c.ByteOrder = binary.NativeEndian
					c.Uint32(cellField, field)
					f(c)
					return nil
				})
			}
			cell(0, func(c *netlink.AttributeEncoder) { c.Uint8(uint16(dict.Bool), 1) })
			cell(1, func(c *netlink.AttributeEncoder) { c.Int32(uint16(dict.Int), 5) })
			cell(2, func(c *netlink.AttributeEncoder) { c.Int64(uint16(dict.Int64), 6) })
			cell(3, func(c *netlink.AttributeEncoder) { c.Bytes(uint16(dict.String), []byte("NETFLIX")) })
			return nil
		})
	}
	data, err := enc.Encode()
	if err != nil {
		b.Fatal(err)
	}
	return data
}
