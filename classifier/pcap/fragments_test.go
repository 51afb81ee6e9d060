// SPDX-License-Identifier: MIT

package pcap

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"nftdict/classifier"
)

// registration returns a packet of UDP with a message of SIP of some size.
func registration(family int) []byte {
	body := "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n" + string(bytes.Repeat([]byte("X-Filler: abcdefgh\r\n"), 40)) + "\r\n"
	udp := append([]byte{0x13, 0xc5, 0x13, 0xc4, 0, 0, 0, 0}, body...)
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	if family == 6 {
		ip := make([]byte, 40)
		ip[0], ip[6], ip[7], ip[8], ip[23], ip[24], ip[39] = 0x60, 17, 64, 0x20, 1, 0x20, 2
		binary.BigEndian.PutUint16(ip[4:], uint16(len(udp)))
		return append(ip, udp...)
	}
	ip := []byte{0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1}
	ip = append(ip, udp...)
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	return ip
}

// cut returns the packet's fragments, the first with so many bytes of payload.
func cut(ip []byte, sizes ...int) [][]byte {
	var out [][]byte
	head := 20
	if ip[0]>>4 == 6 {
		head = 40
	}
	rest, off := ip[head:], 0
	for i := 0; len(rest) > 0; i++ {
		n := len(rest)
		if i < len(sizes) {
			n = sizes[i]
		}
		more := byte(0)
		if n < len(rest) {
			more = 1
		}
		f := slices.Clone(ip[:head])
		if head == 20 {
			binary.BigEndian.PutUint16(f[2:], uint16(head+n))
			binary.BigEndian.PutUint16(f[6:], uint16(off/8)|uint16(more)<<13)
		} else {
			binary.BigEndian.PutUint16(f[4:], uint16(8+n))
			f[6] = 44
			f = append(f, 17, 0, byte(off>>8), byte(off)|more, 0, 0, 0x12, 0x34)
		}
		out = append(out, append(f, rest[:n]...))
		rest, off = rest[n:], off+n
	}
	return out
}

func TestFragments(t *testing.T) {
	for _, family := range []int{4, 6} {
		whole := registration(family)
		pieces := cut(whole, 8, 200, 304) // the first holds but the header of UDP
		other := cut(whole, 8, 208)
		for name, tt := range map[string]struct {
			in        [][]byte
			want      string
			fragments int
		}{
			"in order":         {pieces, "SIP", 2},
			"the other way":    {[][]byte{pieces[3], pieces[2], pieces[1], pieces[0]}, "SIP", 3},
			"one missing":      {[][]byte{pieces[0], pieces[1], pieces[3]}, "", 2},
			"one twice":        {[][]byte{pieces[0], pieces[1], pieces[1], pieces[2], pieces[3]}, "SIP", 3},
			"two that overlap": {[][]byte{pieces[0], pieces[1], other[2], pieces[2], pieces[3]}, "", 4},
			"no beginning":     {pieces[1:], "", 3},
		} {
			report, err := Classify(bytes.NewReader(classicCapture(t, LinkRaw, tt.in...)), classifier.New(classifier.Options{}), Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, f := range report.Flows {
				got += f.Result.Protocol
				if f.PacketsAB != 1 || f.BytesAB != int64(len(whole)) && tt.want != "" && family == 4 {
					t.Errorf("IPv%d, %s: %d packets, %d bytes of %d", family, name, f.PacketsAB, f.BytesAB, len(whole))
				}
			}
			if got != tt.want || report.Fragments != tt.fragments {
				t.Errorf("IPv%d, %s: %q with %d fragments left, want %q with %d", family, name, got, report.Fragments, tt.want, tt.fragments)
			}
		}
	}
}

func TestFragmentsAreBounded(t *testing.T) {
	var f fragments
	var p classifier.Packet
	first := cut(registration(4), 8)[0]
	for id := range 1000 {
		binary.BigEndian.PutUint16(first[4:], uint16(id))
		if err := classifier.Decode(first, &p); err != nil {
			t.Fatal(err)
		}
		f.add(first, &p)
	}
	if len(f.waiting) > maxFragmented || len(f.order) != len(f.waiting) {
		t.Errorf("%d wait, %d in order", len(f.waiting), len(f.order))
	}
}

// As many bytes as the last piece promises are no datagram while some of them
// lie behind it.
func TestFragmentsBehindTheLast(t *testing.T) {
	whole := registration(4)
	first, later, last := cut(whole, 8)[0], cut(whole, 32, 8)[1], cut(whole[:44], 16)[1]
	for _, order := range [][][]byte{{first, later, last}, {last, first, later}, {later, last, first}} {
		var f fragments
		var p classifier.Packet
		for _, in := range order {
			if err := classifier.Decode(in, &p); err != nil {
				t.Fatal(err)
			}
			if whole, _ := f.add(in, &p); whole != nil {
				t.Error("put together")
			}
		}
	}
}
