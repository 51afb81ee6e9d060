// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

// parsed says how far a message could be read.
type parsed uint8

const (
	malformed parsed = iota
	partial
	whole
)

// reader walks over a message of total bytes of which b is the beginning. After
// the first failure every read returns zero: state is then partial if bytes
// were missing, malformed if the message itself is too short. Numbers are big
// endian.
type reader struct {
	b     []byte
	pos   int
	total int
	state parsed
}

func newReader(b []byte, total int) reader {
	return reader{b: b, total: total, state: whole}
}

// take returns the next n bytes, a part of the message.
func (r *reader) take(n int) []byte {
	switch {
	case r.state != whole:
		return nil
	case n > r.total-r.pos:
		r.state = malformed
		return nil
	case n > len(r.b)-r.pos:
		r.state = partial
		return nil
	}
	r.pos += n
	return r.b[r.pos-n : r.pos]
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// vector8 returns the bytes behind a length byte.
func (r *reader) vector8() []byte { return r.take(int(r.u8())) }

// vector16 returns the bytes behind a length of two bytes.
func (r *reader) vector16() []byte { return r.take(int(r.u16())) }

// varint reads a QUIC variable-length integer.
func (r *reader) varint() uint64 {
	first := r.u8()
	v := uint64(first & 0x3f)
	for range 1<<(first>>6) - 1 {
		v = v<<8 | uint64(r.u8())
	}
	if r.state != whole {
		return 0
	}
	return v
}

// rest returns what was not read yet of the bytes that are there.
func (r *reader) rest() []byte { return r.b[r.pos:] }
