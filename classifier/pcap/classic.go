// SPDX-License-Identifier: MIT

package pcap

import (
	"encoding/binary"
	"fmt"
	"time"
)

// classicFile reads the original pcap format.
type classicFile struct {
	r     *Reader
	order binary.ByteOrder
	nanos bool
	link  Link
}

// header reads the file header, 24 bytes.
func (f *classicFile) header() error {
	b, err := f.r.read(24)
	if err != nil {
		return inside(err)
	}
	switch binary.LittleEndian.Uint32(b) {
	case 0xa1b2c3d4:
		f.order = binary.LittleEndian
	case 0xa1b23c4d:
		f.order, f.nanos = binary.LittleEndian, true
	case 0xd4c3b2a1:
		f.order = binary.BigEndian
	case 0x4d3cb2a1:
		f.order, f.nanos = binary.BigEndian, true
	default:
		return fmt.Errorf("%w: neither pcap nor pcapng", ErrFormat)
	}
	// The upper bits tell of frame check sequences, which nothing here reads.
	f.link = Link(f.order.Uint32(b[20:]) & 0xffff)
	return nil
}

func (f *classicFile) next() (Record, error) {
	b, err := f.r.read(16)
	if err != nil {
		return Record{}, err
	}
	seconds, fraction := int64(f.order.Uint32(b)), int64(f.order.Uint32(b[4:]))
	if !f.nanos {
		fraction *= 1000
	}
	size := f.order.Uint32(b[8:])
	if size > MaxRecord {
		return Record{}, fmt.Errorf("%w: packet of %d bytes", ErrFormat, size)
	}
	data, err := f.r.read(int(size))
	if err != nil {
		return Record{}, inside(err)
	}
	return Record{Time: time.Unix(seconds, fraction), Link: f.link, Data: data}, nil
}
