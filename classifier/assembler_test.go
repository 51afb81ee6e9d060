// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestAssemblerAnyOrder cuts a stream into overlapping pieces, shows them in any
// order and more than once, and expects the stream.
func TestAssemblerAnyOrder(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := make([]byte, 1+r.IntN(3000))
		for i := range want {
			want[i] = byte(r.Uint32())
		}
		type piece struct{ off, end int }
		var pieces []piece
		for off := 0; off < len(want); {
			end := min(len(want), off+1+r.IntN(len(want)/5+1))
			pieces = append(pieces, piece{max(0, off-r.IntN(40)), end})
			if r.IntN(3) == 0 {
				pieces = append(pieces, pieces[r.IntN(len(pieces))])
			}
			off = end
		}
		r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		var a assembler
		for _, p := range pieces {
			before := len(a.bytes())
			if grew := a.insert(p.off, want[p.off:p.end], 1<<16); grew != (len(a.bytes()) > before) {
				t.Fatalf("seed %d: insert says %v, grew from %d to %d", seed, grew, before, len(a.bytes()))
			}
		}
		if !bytes.Equal(a.bytes(), want) {
			t.Fatalf("seed %d: %d of %d bytes, or others", seed, len(a.bytes()), len(want))
		}
		if len(a.parts) != 0 || len(a.store) != 0 {
			t.Fatalf("seed %d: parts are left", seed)
		}
	}
}

func TestAssemblerFirstBytesWin(t *testing.T) {
	var a assembler
	a.insert(4, []byte("EFGH"), 100)
	a.insert(2, []byte("cdef"), 100) // ef came too late
	a.insert(0, []byte("ab"), 100)
	a.insert(0, []byte("xxxxxxxxij"), 100)
	if got := string(a.bytes()); got != "abcdEFGHij" {
		t.Errorf("got %q", got)
	}
}

func TestAssemblerBounds(t *testing.T) {
	t.Run("limit", func(t *testing.T) {
		var a assembler
		a.insert(10, make([]byte, 200), 100)
		a.insert(0, make([]byte, 200), 100)
		a.insert(100, []byte("x"), 100)
		a.insert(-1, []byte("x"), 100)
		if len(a.bytes()) != 100 {
			t.Errorf("%d bytes, want 100", len(a.bytes()))
		}
	})
	t.Run("parts", func(t *testing.T) {
		var a assembler
		for i := range 10 * maxParts {
			a.insert(2+2*i, []byte("x"), 1<<16)
		}
		if len(a.parts) != maxParts {
			t.Errorf("%d parts, want %d", len(a.parts), maxParts)
		}
		// A full store does not keep the gap from being closed.
		if !a.insert(0, bytes.Repeat([]byte("y"), 20*maxParts), 1<<16) || len(a.bytes()) < 20*maxParts {
			t.Errorf("%d bytes after the gap was closed", len(a.bytes()))
		}
	})
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte{0, 3, 5, 2, 2, 4})
	f.Fuzz(func(t *testing.T, ops []byte) {
		const limit = 300
		var a assembler
		var want [limit]int // 0: nothing came, else the number of the first piece
		for i := 0; i+1 < len(ops) && i < 250; i += 2 {
			off, n := int(ops[i])+int(ops[i+1]>>6)*64, int(ops[i+1]&63)
			mark := i/2 + 1
			full := len(a.parts) >= maxParts-1
			a.insert(off, bytes.Repeat([]byte{byte(mark)}, n), limit)
			if len(a.buf)+len(a.store) > 2*limit || len(a.parts) > maxParts {
				t.Fatalf("holds %d+%d bytes, %d parts", len(a.buf), len(a.store), len(a.parts))
			}
			if full || len(a.buf)+len(a.store)+n > limit {
				return // what is dropped now is not modelled
			}
			for j := off; j < min(off+n, limit); j++ {
				if want[j] == 0 {
					want[j] = mark
				}
			}
		}
		for i, c := range a.bytes() {
			if int(c) != want[i]&0xff {
				t.Fatalf("byte %d is of piece %d, want %d", i, c, want[i])
			}
		}
		if n := len(a.bytes()); n < limit && want[n] != 0 {
			t.Fatalf("stops at %d though the next byte came", n)
		}
	})
}
