// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"nftdict/dictd/conntrack"
)

// What is on the disk: numbers of variable length, the newest value of each thing.
//
//	version, hour, connections: count and each, cells: count and each
const codecVersion = 2

var errCorrupt = errors.New("not sound")

// saved is what one write to the disk says.
type saved struct {
	hour  time.Time
	conns []*conn
	cells []*cell
}

// encode returns a write. Connections that are over are left out, unless a later
// one might be taken for them.
func (s *saved) encode() []byte {
	b := []byte{codecVersion}
	b = binary.AppendVarint(b, s.hour.Unix())
	n := 0
	for _, c := range s.conns {
		if !c.over || c.start == 0 {
			n++
		}
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, c := range s.conns {
		if !c.over || c.start == 0 {
			b = appendConn(b, c)
		}
	}
	return appendCells(b, len(s.cells), func(f func(*cell)) {
		for _, one := range s.cells {
			f(one)
		}
	})
}

const (
	flagOver = 1 << iota
	flagCounted
	flagFinal
	flagOffload
)

func appendConn(b []byte, c *conn) []byte {
	flags := byte(0)
	if c.over {
		flags |= flagOver
	}
	if c.counted {
		flags |= flagCounted
	}
	if c.label.Final {
		flags |= flagFinal
	}
	if c.offload != nil {
		flags |= flagOffload
	}
	b = append(b, flags, c.orig.Proto)
	b = binary.AppendUvarint(b, uint64(c.id))
	b = binary.AppendUvarint(b, uint64(c.zone))
	b = binary.AppendUvarint(b, uint64(c.orig.SrcPort))
	b = binary.AppendUvarint(b, uint64(c.orig.DstPort))
	b = appendAddr(b, c.orig.Src())
	b = appendAddr(b, c.orig.Dst())
	b = appendAddr(b, c.server)
	b = binary.AppendUvarint(b, c.start)
	b = appendCounter(b, c.billed[0])
	b = appendCounter(b, c.billed[1])
	b = appendText(appendText(b, c.label.Application), c.label.Category)
	if o := c.offload; o != nil {
		for _, pair := range [...][2]uint64{o.began, o.carry, o.booked} {
			b = binary.AppendUvarint(binary.AppendUvarint(b, pair[0]), pair[1])
		}
	}
	return b
}

func appendCells(b []byte, n int, each func(func(*cell))) []byte {
	b = binary.AppendUvarint(b, uint64(n))
	each(func(one *cell) {
		b = appendAddr(b, one.key.Address)
		b = append(b, one.key.MAC[:]...)
		b = appendText(b, one.key.User)
		b = appendText(b, one.key.Application)
		b = appendCounter(b, one.use.In)
		b = appendCounter(b, one.use.Out)
		b = binary.AppendUvarint(b, one.use.Connections)
	})
	return b
}

// encodeCells returns all cells of a period.
func encodeCells(c cells) []byte {
	return appendCells([]byte{codecVersion}, len(c), func(f func(*cell)) {
		for _, one := range c {
			f(one)
		}
	})
}

func appendAddr(b []byte, a netip.Addr) []byte {
	raw := a.AsSlice() // none of an invalid one
	return append(append(b, byte(len(raw))), raw...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendCounter(b []byte, c conntrack.Counter) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, c.Packets), c.Bytes)
}

// decoder reads; after the first fault all is zero.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.bytes(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

// uint reads a number of so many bits.
func (d *decoder) uint(bits int) uint64 {
	v := d.uvarint()
	if v>>bits != 0 {
		d.bad, d.b = true, nil
		return 0
	}
	return v
}

func (d *decoder) addr() netip.Addr {
	a, _ := netip.AddrFromSlice(d.bytes(d.addrLen()))
	return a
}

func (d *decoder) addrLen() uint64 {
	switch n := d.byte(); n {
	case 0, 4, 16:
		return uint64(n)
	}
	d.bad, d.b = true, nil
	return 0
}

func (d *decoder) counter() conntrack.Counter {
	return conntrack.Counter{Packets: d.uvarint(), Bytes: d.uvarint()}
}

func (d *decoder) text() string { return string(d.bytes(d.uvarint())) }

func (d *decoder) conn() *conn {
	flags, proto := d.byte(), d.byte()
	c := &conn{id: uint32(d.uint(32)), zone: uint16(d.uint(16)), over: flags&flagOver != 0, counted: flags&flagCounted != 0}
	srcPort, dstPort := uint16(d.uint(16)), uint16(d.uint(16))
	src, dst := d.addr(), d.addr()
	c.server = d.addr()
	if !src.IsValid() || src.BitLen() != dst.BitLen() {
		d.bad = true
		return c
	}
	c.orig = conntrack.NewTuple(proto, netip.AddrPortFrom(src, srcPort), netip.AddrPortFrom(dst, dstPort))
	c.start = d.uvarint()
	c.billed = [2]conntrack.Counter{d.counter(), d.counter()}
	c.label = Label{d.text(), d.text(), flags&flagFinal != 0}
	if flags&flagOffload != 0 {
		pair := func() [2]uint64 { return [2]uint64{d.uvarint(), d.uvarint()} }
		c.offload = &offload{began: pair(), carry: pair(), booked: pair()}
	}
	return c
}

func (d *decoder) cells(f func(*cell)) {
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		one := &cell{key: Key{Address: d.addr()}}
		copy(one.key.MAC[:], d.bytes(6))
		one.key.User = d.text()
		one.key.Application = d.text()
		one.use = Use{In: d.counter(), Out: d.counter(), Connections: d.uvarint()}
		if !d.bad {
			f(one)
		}
	}
}

// decode reads a write.
func decode(b []byte) (*saved, error) {
	d := &decoder{b: b}
	if v := d.byte(); v != codecVersion {
		return nil, fmt.Errorf("version %d: %w: want %d", v, errCorrupt, codecVersion)
	}
	s := &saved{hour: time.Unix(d.varint(), 0)}
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		if c := d.conn(); !d.bad {
			s.conns = append(s.conns, c)
		}
	}
	d.cells(func(one *cell) { s.cells = append(s.cells, one) })
	if d.bad || len(d.b) > 0 {
		return nil, errCorrupt
	}
	return s, nil
}

// decodeCells reads a period.
func decodeCells(b []byte) (cells, error) {
	d := &decoder{b: b}
	if v := d.byte(); v != codecVersion {
		return nil, fmt.Errorf("version %d: %w: want %d", v, errCorrupt, codecVersion)
	}
	all := make(cells)
	d.cells(func(one *cell) { all[one.key] = one })
	if d.bad || len(d.b) > 0 {
		return nil, errCorrupt
	}
	return all, nil
}
