// SPDX-License-Identifier: MIT

package lab

import (
	"bytes"
	"net"
	"slices"
	"time"
)

// Cut says how the first write of a connection, such as a ClientHello, is
// divided over TCP segments: the offsets at which a new segment starts.
// Offsets outside the write are ignored.
type Cut func(first []byte) []int

// CutAt cuts at fixed offsets.
func CutAt(offsets ...int) Cut {
	return func([]byte) []int { return offsets }
}

// CutEvery cuts into pieces of n bytes.
func CutEvery(n int) Cut {
	return func(first []byte) (at []int) {
		for i := n; n > 0 && i < len(first); i += n {
			at = append(at, i)
		}
		return at
	}
}

// CutInside cuts in the middle of the first occurrence of text, so that no
// segment holds the whole of it.
func CutInside(text string) Cut {
	return func(first []byte) []int {
		i := bytes.Index(first, []byte(text))
		if i < 0 {
			return nil
		}
		return []int{i + len(text)/2}
	}
}

// CutAfter cuts right behind the first occurrence of text, so that the first
// segment holds the whole of it and little more.
func CutAfter(text string) Cut {
	return func(first []byte) []int {
		i := bytes.Index(first, []byte(text))
		if i < 0 {
			return nil
		}
		return []int{i + len(text)}
	}
}

// cutConn divides the first write. TCP_NODELAY, Go's default, sends each
// piece at once; the gap keeps the kernel from joining what has to wait.
type cutConn struct {
	net.Conn
	cut Cut
	gap time.Duration
}

// Write writes p; the first call writes it in pieces.
func (c *cutConn) Write(p []byte) (n int, err error) {
	cut := c.cut
	c.cut = nil
	if cut == nil {
		return c.Conn.Write(p)
	}
	for i, piece := range pieces(p, cut(p)) {
		if i > 0 {
			time.Sleep(c.gap)
		}
		m, err := c.Conn.Write(piece)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// pieces divides p at the offsets, which may come in any order.
func pieces(p []byte, offsets []int) [][]byte {
	offsets = slices.Clone(offsets)
	slices.Sort(offsets)
	var out [][]byte
	start := 0
	for _, at := range offsets {
		if at > start && at < len(p) {
			out = append(out, p[start:at])
			start = at
		}
	}
	return append(out, p[start:])
}
