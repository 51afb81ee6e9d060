// SPDX-License-Identifier: MIT

package pcap

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Types of pcapng blocks.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
)

// maxInterfaces bounds the interfaces of one section.
const maxInterfaces = 4096

// ngFile reads the pcapng format.
type ngFile struct {
	r          *Reader
	order      binary.ByteOrder
	interfaces []ngInterface
}

// ngInterface is what packets need to know of where they were captured.
type ngInterface struct {
	link  Link
	snap  uint32 // 0: no limit
	units uint64 // per second
}

// next returns the next packet and steps over every other block.
func (f *ngFile) next() (Record, error) {
	for {
		kind, body, err := f.block()
		if err != nil {
			return Record{}, err
		}
		switch kind {
		case blockInterface:
			err = f.addInterface(body)
		case blockEnhanced, blockPacket:
			return f.packet(kind, body)
		case blockSimple:
			return f.simple(body)
		}
		if err != nil {
			return Record{}, err
		}
	}
}

// block reads one block and returns what lies between its two lengths.
func (f *ngFile) block() (uint32, []byte, error) {
	f.r.settle()
	head, err := f.r.in.Peek(12)
	if len(head) == 0 {
		return 0, nil, err // the end of the file
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: breaks off: %w", ErrFormat, err)
	}
	if binary.BigEndian.Uint32(head) == blockSection {
		switch binary.LittleEndian.Uint32(head[8:]) {
		case 0x1a2b3c4d:
			f.order = binary.LittleEndian
		case 0x4d3c2b1a:
			f.order = binary.BigEndian
		default:
			return 0, nil, fmt.Errorf("%w: section without a byte order", ErrFormat)
		}
		f.interfaces = f.interfaces[:0]
	}
	kind, size := f.order.Uint32(head), f.order.Uint32(head[4:])
	if size < 12 || size%4 != 0 || size > MaxRecord {
		return 0, nil, fmt.Errorf("%w: block of %d bytes", ErrFormat, size)
	}
	b, err := f.r.read(int(size))
	if err != nil {
		return 0, nil, inside(err)
	}
	if f.order.Uint32(b[size-4:]) != size {
		return 0, nil, fmt.Errorf("%w: block of %d bytes ends with another length", ErrFormat, size)
	}
	return kind, b[8 : size-4], nil
}

func (f *ngFile) addInterface(b []byte) error {
	if len(b) < 8 || len(f.interfaces) >= maxInterfaces {
		return fmt.Errorf("%w: interface block", ErrFormat)
	}
	i := ngInterface{link: Link(f.order.Uint16(b)), snap: f.order.Uint32(b[4:]), units: 1e6}
	for b = b[8:]; len(b) >= 4; {
		code, size := f.order.Uint16(b), int(f.order.Uint16(b[2:]))
		padded := 4 + (size+3)&^3
		if code == 0 || padded > len(b) {
			break
		}
		if code == 9 && size == 1 { // resolution of timestamps
			if v := b[4]; v&0x80 != 0 {
				i.units = 1 << min(v&0x7f, 62)
			} else {
				i.units = 1
				for range min(v, 18) {
					i.units *= 10
				}
			}
		}
		b = b[padded:]
	}
	f.interfaces = append(f.interfaces, i)
	return nil
}

// packet reads an enhanced or an obsolete packet block: they differ in how wide
// the interface's number is.
func (f *ngFile) packet(kind uint32, b []byte) (Record, error) {
	if len(b) < 20 {
		return Record{}, fmt.Errorf("%w: packet block of %d bytes", ErrFormat, len(b))
	}
	number := f.order.Uint32(b)
	if kind == blockPacket {
		number = uint32(f.order.Uint16(b))
	}
	size := f.order.Uint32(b[12:])
	if int64(number) >= int64(len(f.interfaces)) || int64(size) > int64(len(b)-20) {
		return Record{}, fmt.Errorf("%w: packet block contradicts itself", ErrFormat)
	}
	i := f.interfaces[number]
	stamp := uint64(f.order.Uint32(b[4:]))<<32 | uint64(f.order.Uint32(b[8:]))
	return Record{Time: i.time(stamp), Link: i.link, Data: b[20 : 20+size]}, nil
}

// simple reads a packet block without a time.
func (f *ngFile) simple(b []byte) (Record, error) {
	if len(b) < 4 || len(f.interfaces) == 0 {
		return Record{}, fmt.Errorf("%w: simple packet block", ErrFormat)
	}
	i := f.interfaces[0]
	size := int64(f.order.Uint32(b))
	if i.snap != 0 {
		size = min(size, int64(i.snap))
	}
	size = min(size, int64(len(b)-4))
	return Record{Time: time.Unix(0, 0), Link: i.link, Data: b[4 : 4+size]}, nil
}

// time converts a timestamp.
func (i *ngInterface) time(stamp uint64) time.Time {
	seconds, rest := stamp/i.units, stamp%i.units
	return time.Unix(int64(seconds), int64(float64(rest)/float64(i.units)*1e9))
}
