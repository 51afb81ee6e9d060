// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"sync"
)

// maxParts bounds the pieces of one stream that wait for what comes before.
const maxParts = 64

// assembler puts the pieces of a byte stream in order. Bytes that came first
// win over later ones for the same place. What it holds is bounded by the limit
// given to insert; pieces are kept at their own size, so that a piece far ahead
// costs no more than its bytes.
type assembler struct {
	buf   []byte     // contiguous from offset 0
	store []byte     // bytes of the parts, in the order of arrival
	parts []part     // sorted by off, none overlapping another
	home  *sync.Pool // where it goes when it is no longer needed; nil: nowhere
}

// maxReused is the memory that is kept for other streams, in bytes.
const maxReused = 8 << 10

// release gives the memory to other streams; nothing of it may be used any more.
func (a *assembler) release() {
	if a.home == nil || a.size() > maxReused {
		return
	}
	a.reset()
	a.home.Put(a)
}

// part is a piece that waits: stream bytes [off, off+n) lie at store[at:].
type part struct{ off, at, n int }

// bytes returns everything from the start of the stream to the first gap. It is
// valid until the next insert.
func (a *assembler) bytes() []byte { return a.buf }

// contradicts reports whether b at offset 0 differs from what is there.
func (a *assembler) contradicts(b []byte) bool {
	n := min(len(a.buf), len(b))
	return !bytes.Equal(a.buf[:n], b[:n])
}

// size returns the bytes of memory for the stream's bytes.
func (a *assembler) size() int { return cap(a.buf) + cap(a.store) }

// reset forgets the stream and keeps the memory.
func (a *assembler) reset() {
	a.buf, a.store, a.parts = a.buf[:0], a.store[:0], a.parts[:0]
}

// clone returns a copy of its own.
func (a *assembler) clone() assembler {
	return assembler{
		buf:   append([]byte(nil), a.buf...),
		store: append([]byte(nil), a.store...),
		parts: append([]part(nil), a.parts...),
	}
}

// insert adds b at offset off and reports whether bytes grew. What lies beyond
// limit, or would exceed it, is dropped.
func (a *assembler) insert(off int, b []byte, limit int) bool {
	if off < 0 || off >= limit {
		return false
	}
	if len(b) > limit-off {
		b = b[:limit-off]
	}
	if have := len(a.buf) - off; have > 0 {
		if have >= len(b) {
			return false
		}
		b, off = b[have:], len(a.buf)
	}
	grew := false
	for off == len(a.buf) && len(b) > 0 {
		n := len(b)
		if len(a.parts) > 0 {
			n = min(n, a.parts[0].off-off)
		}
		a.buf = append(a.buf, b[:n]...)
		a.drain()
		grew = true
		b = b[min(len(a.buf)-off, len(b)):]
		off = max(off, len(a.buf))
	}
	a.keep(off, b, limit)
	return grew
}

// keep files b among the waiting parts, without the bytes that are there.
func (a *assembler) keep(off int, b []byte, limit int) {
	i := 0
	for len(b) > 0 {
		for i < len(a.parts) && a.parts[i].off+a.parts[i].n <= off {
			i++
		}
		n := len(b)
		if i < len(a.parts) {
			next := a.parts[i]
			if next.off <= off { // its bytes came first
				skip := min(next.off+next.n-off, n)
				b, off = b[skip:], off+skip
				continue
			}
			n = min(n, next.off-off)
		}
		if len(a.parts) >= maxParts || len(a.buf)+len(a.store)+n > limit {
			return
		}
		a.parts = append(a.parts, part{})
		copy(a.parts[i+1:], a.parts[i:])
		a.parts[i] = part{off, len(a.store), n}
		a.store = append(a.store, b[:n]...)
		b, off = b[n:], off+n
	}
}

// drain moves the parts that have become contiguous to buf.
func (a *assembler) drain() {
	n := 0
	for n < len(a.parts) && a.parts[n].off == len(a.buf) {
		p := a.parts[n]
		a.buf = append(a.buf, a.store[p.at:p.at+p.n]...)
		n++
	}
	a.parts = a.parts[:copy(a.parts, a.parts[n:])]
	if len(a.parts) == 0 {
		a.store = a.store[:0]
	}
}
