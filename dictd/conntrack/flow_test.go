// SPDX-License-Identifier: MIT

package conntrack

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/mdlayher/netlink"
)

// encodeFlow is the inverse of ParseFlow, as far as ctnetlink sends it.
func encodeFlow(tb testing.TB, f *Flow) []byte {
	tb.Helper()
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	for typ, t := range map[uint16]*Tuple{ctaTupleOrig: &f.Orig, ctaTupleReply: &f.Reply} {
		b, err := encodeTuple(*t, 0)
		if err != nil {
			tb.Fatal(err)
		}
		e.Do(typ|netlink.Nested, func() ([]byte, error) { return b[4:], nil })
	}
	e.Uint32(ctaStatus, f.Status)
	e.Uint32(ctaMark, f.Mark)
	e.Uint32(ctaID, f.ID)
	e.Uint16(ctaZone, f.Zone)
	if f.Counted {
		for i, typ := range []uint16{ctaCountOrig, ctaCountReply} {
			e.Nested(typ, func(e *netlink.AttributeEncoder) error {
				e.Uint64(ctaCountPackets, f.Counters[i].Packets)
				e.Uint64(ctaCountBytes, f.Counters[i].Bytes)
				return nil
			})
		}
	}
	if f.Start|f.Stop != 0 {
		e.Nested(ctaTimestamp, func(e *netlink.AttributeEncoder) error {
			e.Uint64(ctaTimeStart, f.Start)
			e.Uint64(ctaTimeStop, f.Stop)
			return nil
		})
	}
	b, err := e.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func testFlow(a, b string) *Flow {
	orig := NewTuple(6, netip.MustParseAddrPort(a), netip.MustParseAddrPort(b))
	return &Flow{
		ID: 0xdeadbeef, Zone: 3, Orig: orig, Reply: orig.Reverse(), Mark: 7, Status: 8,
		Counters: [2]Counter{{Packets: 3, Bytes: 1 << 40}, {Packets: 1, Bytes: 60}}, Counted: true, Start: 1 << 60, Stop: 1<<60 + 1,
	}
}

func TestParseFlow(t *testing.T) {
	for _, want := range []*Flow{
		testFlow("10.0.0.1:1", "192.0.2.1:443"),
		testFlow("[2001:db8::1]:65535", "[::ffff:10.0.0.1]:80"),
	} {
		var got Flow
		b := encodeFlow(t, want)
		if err := ParseFlow(b, &got); err != nil || got != *want {
			t.Errorf("got %+v, %v, want %+v", got, err, *want)
		}
		for n := range b {
			_ = ParseFlow(b[:n], &got) // cut anywhere: no panic
		}
	}
}

func TestTuple(t *testing.T) {
	four := NewTuple(17, netip.MustParseAddrPort("10.0.0.1:53"), netip.MustParseAddrPort("10.0.0.2:1024"))
	six := NewTuple(17, netip.MustParseAddrPort("[::ffff:10.0.0.1]:53"), netip.MustParseAddrPort("[::ffff:10.0.0.2]:1024"))
	if four == six {
		t.Error("an IPv4 address and its mapped form are one")
	}
	if got := four.Reverse().Reverse(); got != four {
		t.Errorf("reversed twice: %s", got)
	}
	if got, want := four.String(), "17 10.0.0.1:53 > 10.0.0.2:1024"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if r := six.Reverse(); r.Src().String() != "::ffff:10.0.0.2" || r.SrcPort != 1024 {
		t.Errorf("reverse %s", r)
	}
	var none Tuple
	if none.Src().IsValid() {
		t.Error("the zero tuple has an address")
	}
}

func FuzzParseFlow(f *testing.F) {
	f.Add(encodeFlow(f, testFlow("10.0.0.1:1", "192.0.2.1:443")))
	f.Add(encodeFlow(f, testFlow("[2001:db8::1]:65535", "[2001:db8::2]:80")))
	f.Add([]byte{4, 0, 0, 0, 3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var flow Flow
		if ParseFlow(b, &flow) == nil && hasPorts(flow.Orig.Proto) && hasPorts(flow.Reply.Proto) && flow.Orig.Family != 0 && flow.Reply.Family != 0 {
			if flow.Orig.Family != flow.Reply.Family || flow.Orig.Family == 4 && (flow.Orig.src[0] != 0 || flow.Reply.src[0] != 0) {
				return // families mixed in one tuple: the last wins, and stays as it is
			}
			var again Flow
			if err := ParseFlow(encodeFlow(t, &flow), &again); err != nil {
				t.Fatalf("%+v does not parse again: %v", flow, err)
			}
		}
	})
}

func FuzzDatagram(f *testing.F) {
	body := append([]byte{2, 0, 0, 0}, encodeFlow(f, testFlow("10.0.0.1:1", "192.0.2.1:443"))...)
	head := binary.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
	head = binary.NativeEndian.AppendUint16(head, msgNew)
	f.Add(append(append(head, make([]byte, 10)...), body...))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		l := &Listener{cfg: Config{Handle: func(*Event) { n++ }, Overrun: func() {}}}
		l.datagram(b)
		if n > len(b)/16 {
			t.Fatalf("%d events in %d bytes", n, len(b))
		}
	})
}

func BenchmarkParseFlow(b *testing.B) {
	attrs := encodeFlow(b, testFlow("10.0.0.1:1", "192.0.2.1:443"))
	b.ReportAllocs()
	var f Flow
	for b.Loop() {
		if err := ParseFlow(attrs, &f); err != nil {
			b.Fatal(err)
		}
	}
}
