// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// attrHeader is the size of an attribute's header: length and type, 16 bits
// each in the machine's byte order.
const attrHeader = 4

// builder is a message under construction, to which attributes are appended.
// The library's encoder would allocate a dozen times for every row.
type builder struct {
	buf    []byte
	order  binary.AppendByteOrder
	places places
}

// newBuilder returns a builder of the family's messages.
func newBuilder() *builder { return &builder{order: binary.NativeEndian} }

// reset empties the builder.
func (b *builder) reset() { b.buf = b.buf[:0] }

// begin opens an attribute whose payload is appended next, and returns what
// end closes it with.
func (b *builder) begin(typ uint16) int {
	at := len(b.buf)
	b.buf = binary.NativeEndian.AppendUint16(b.buf, 0)
	b.buf = binary.NativeEndian.AppendUint16(b.buf, typ)
	return at
}

// end closes an attribute and pads it.
func (b *builder) end(at int) {
	binary.NativeEndian.PutUint16(b.buf[at:], uint16(len(b.buf)-at))
	for len(b.buf)%attrHeader != 0 {
		b.buf = append(b.buf, 0)
	}
}

// nest is begin for an attribute that holds attributes.
func (b *builder) nest(typ uint16) int { return b.begin(typ | unix.NLA_F_NESTED) }

func (b *builder) bytes(typ uint16, data []byte) {
	at := b.begin(typ)
	b.buf = append(b.buf, data...)
	b.end(at)
}

// text appends a string that ends in a NUL.
func (b *builder) text(typ uint16, s string) {
	at := b.begin(typ)
	b.buf = append(append(b.buf, s...), 0)
	b.end(at)
}

func (b *builder) flag(typ uint16) { b.end(b.begin(typ)) }

func (b *builder) uint16(typ uint16, n uint16) {
	at := b.begin(typ)
	b.buf = b.order.AppendUint16(b.buf, n)
	b.end(at)
}

func (b *builder) uint32(typ uint16, n uint32) {
	at := b.begin(typ)
	b.buf = b.order.AppendUint32(b.buf, n)
	b.end(at)
}

func (b *builder) uint64(typ uint16, n uint64) {
	at := b.begin(typ)
	b.buf = b.order.AppendUint64(b.buf, n)
	b.end(at)
}

// attr is an attribute that was received. Its payload is part of the message.
type attr struct {
	typ  uint16 // without flags
	data []byte
}

// errAnswer says that the module sent what its specification does not hold.
func errAnswer(what string) error {
	return fmt.Errorf("answer of the module: %w: %s", dict.ErrInvalid, what)
}

// each calls f for every attribute of b.
func each(b []byte, f func(attr) error) error {
	for len(b) > 0 {
		if len(b) < attrHeader {
			return errAnswer("attribute cut off")
		}
		size := int(binary.NativeEndian.Uint16(b))
		if size < attrHeader || size > len(b) {
			return errAnswer("length of an attribute")
		}
		a := attr{binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER), b[attrHeader:size]}
		if err := f(a); err != nil {
			return err
		}
		b = b[min((size+attrHeader-1)&^(attrHeader-1), len(b)):]
	}
	return nil
}

// Numbers are in the machine's byte order.

func (a attr) uint32() (uint32, error) {
	if len(a.data) != 4 {
		return 0, errAnswer(fmt.Sprintf("attribute %d of %d bytes, want 4", a.typ, len(a.data)))
	}
	return binary.NativeEndian.Uint32(a.data), nil
}

func (a attr) uint32s() ([]uint32, error) {
	if len(a.data)%4 != 0 {
		return nil, errAnswer(fmt.Sprintf("attribute %d of %d bytes, want a multiple of 4", a.typ, len(a.data)))
	}
	out := make([]uint32, 0, len(a.data)/4)
	for b := a.data; len(b) > 0; b = b[4:] {
		out = append(out, binary.NativeEndian.Uint32(b))
	}
	return out, nil
}

func (a attr) uint64() (uint64, error) {
	if len(a.data) != 8 {
		return 0, errAnswer(fmt.Sprintf("attribute %d of %d bytes, want 8", a.typ, len(a.data)))
	}
	return binary.NativeEndian.Uint64(a.data), nil
}

// text returns a string without the NUL that ends it.
func (a attr) text() string {
	s := a.data
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	return string(s)
}
