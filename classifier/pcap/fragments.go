// SPDX-License-Identifier: MIT

package pcap

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"

	"nftdict/classifier"
)

// Bounds of what waits for the rest of its datagram.
const (
	maxFragmented = 64 // datagrams; the oldest gives way
	maxPieces     = 64 // of one datagram
)

// fragments puts datagrams together that came in pieces. A datagram of which two
// pieces overlap is dropped: whoever sent it wants it read in two ways.
type fragments struct {
	waiting map[fragmentKey]*fragmented
	order   []fragmentKey // the oldest first
}

type fragmentKey struct {
	src, dst netip.Addr
	id       uint32
	proto    uint8
}

// fragmented is a datagram of which not all is there.
type fragmented struct {
	head   []byte  // the header of IP, without that of the fragment; nil before the first piece
	pieces []piece // sorted, none overlapping another
	have   int     // bytes of pieces
	size   int     // of all, 0 before the last piece
	shown  int     // bytes of the packet with the first piece, which was looked at by itself
}

type piece struct {
	off  int
	data []byte
}

// add files the fragment in the packet ip, which p is decoded from, and returns
// the whole packet once nothing of it is missing, and how many bytes of it came
// with its first piece, in a packet before this one.
func (f *fragments) add(ip []byte, p *classifier.Packet) (packet []byte, shown int) {
	var head, data []byte
	var off int
	var id uint32
	more, proto := false, p.Proto
	switch {
	case p.Family == 4 && len(ip) >= p.Length:
		n := int(ip[0]&15) * 4
		field := binary.BigEndian.Uint16(ip[6:])
		head, data = ip[:n], ip[n:p.Length]
		off, more, id = int(field&0x1fff)*8, field&0x2000 != 0, uint32(binary.BigEndian.Uint16(ip[4:]))
	case p.Family == 6 && len(ip) >= p.Length && p.Length >= 48 && ip[6] == 44: // no other extension in front
		field := binary.BigEndian.Uint16(ip[42:])
		head, data = ip[:40], ip[48:p.Length]
		off, more, id, proto = int(field&^7), field&1 != 0, binary.BigEndian.Uint32(ip[44:]), ip[40]
	default:
		return nil, 0
	}
	if len(data) == 0 || more && len(data)%8 != 0 || off+len(data) > 65535-len(head) {
		return nil, 0
	}
	k := fragmentKey{p.Src, p.Dst, id, proto}
	d := f.waiting[k]
	if d == nil {
		d = f.begin(k)
	}
	at, _ := slices.BinarySearchFunc(d.pieces, off, func(p piece, off int) int { return p.off - off })
	end := off + len(data)
	if at < len(d.pieces) && d.pieces[at].off == off && bytes.Equal(d.pieces[at].data, data) {
		return nil, 0 // captured twice
	}
	if last := len(d.pieces) - 1; !more && last >= 0 && d.pieces[last].off+len(d.pieces[last].data) > end || at > 0 && d.pieces[at-1].off+len(d.pieces[at-1].data) > off || at < len(d.pieces) && d.pieces[at].off < end ||
		len(d.pieces) >= maxPieces || d.size > 0 && (end > d.size || !more) {
		f.drop(k)
		return nil, 0
	}
	if !more {
		d.size = end
	}
	if off == 0 {
		d.head = slices.Clone(head)
	}
	d.pieces = slices.Insert(d.pieces, at, piece{off, slices.Clone(data)})
	if d.have += len(data); d.have != d.size || d.head == nil {
		if off == 0 {
			d.shown = p.Length
		}
		return nil, 0
	}
	f.drop(k)
	return d.join(p.Family, proto), d.shown
}

func (f *fragments) begin(k fragmentKey) *fragmented {
	if f.waiting == nil {
		f.waiting = make(map[fragmentKey]*fragmented)
	}
	if len(f.order) >= maxFragmented {
		f.drop(f.order[0])
	}
	d := new(fragmented)
	f.waiting[k] = d
	f.order = append(f.order, k)
	return d
}

func (f *fragments) drop(k fragmentKey) {
	delete(f.waiting, k)
	if i := slices.Index(f.order, k); i >= 0 {
		f.order = slices.Delete(f.order, i, i+1)
	}
}

// join returns the packet as it was before it was cut.
func (d *fragmented) join(family, proto uint8) []byte {
	out := d.head
	for _, p := range d.pieces {
		out = append(out, p.data...)
	}
	if family == 4 {
		binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
		out[6], out[7] = 0, 0
		return out
	}
	binary.BigEndian.PutUint16(out[4:], uint16(len(out)-40))
	out[6] = proto
	return out
}
