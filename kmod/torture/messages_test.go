// SPDX-License-Identifier: MIT

package torture

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// tally counts what became of the requests of a kind.
type tally struct{ done, refused int }

// sweepEvery is how many cases lie between clearances.
const sweepEvery = 3000

// TestMessages sends messages of every command of the family, right ones and
// wrong ones, and dumps that are not read to their end.
func TestMessages(t *testing.T) {
	b := newBudget(t)
	h := newHost(t)
	s := loadSpec(t)
	requests := s.requests()
	tallies := map[string]*tally{}
	for _, q := range requests {
		tallies[q.name] = new(tally)
	}
	for r := b.next(); r != nil; r = b.next() {
		q := requests[r.IntN(len(requests))]
		if q.cmd == cmdTableDel && !chance(r, 5) {
			q = requests[0] // that adds a table
		}
		w := writer{Rand: r, spec: s}
		root := w.message(q)
		for range pick(r, 0, 0, 0, 1, 1, 2, 3, 5) {
			mutate(r, root)
		}
		h.fuzzed(t, r, q, root, tallies[q.name])
		if b.done%sweepEvery == 0 {
			h.sweep(t)
		}
		if t.Failed() {
			t.Fatalf("in case %d: %s", b.done, q.name)
		}
	}
	h.sweep(t)
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		c := tallies[name]
		t.Logf("%-14s %6d done, %6d refused", name, c.done, c.refused)
		if b.done > 2000 && (c.done == 0 || c.refused == 0) {
			t.Errorf("%s: %d were done and %d refused: that tests little", name, c.done, c.refused)
		}
	}
}

// fuzzed sends a request whose header may be as wrong as its attributes, and
// then asks whether the kernel still answers.
func (h *host) fuzzed(t *testing.T, r *rand.Rand, q request, root *node, c *tally) {
	cmd, version, flags, typ := q.cmd, uint8(familyVersion), q.flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK, h.id
	switch r.IntN(40) {
	case 0:
		version = uint8(r.Uint32())
	case 1:
		cmd = uint8(r.Uint32())
	case 2:
		flags = uint16(r.Uint32())
	case 3:
		flags ^= unix.NLM_F_DUMP
	case 4:
		typ = pick(r, h.id+1, 0, unix.NLMSG_DONE, unix.NLMSG_ERROR, uint16(r.Uint32()))
		if typ == unix.GENL_ID_CTRL {
			typ = h.id
		}
	}
	m := h.message(typ, flags, encode([]byte{cmd, version, 0, 0}, root.kids))
	seq := h.seq
	for range pick(r, 0, 0, 0, 0, 0, 0, 1, 2) { // several in a datagram
		m = append(m, m[:min(len(m), 4000)]...)
	}
	if chance(r, 20) {
		head := min(len(m), unix.NLMSG_HDRLEN)
		m = append(m[:head:head], spoil(r, m[head:])...)
	}
	if chance(r, 100) {
		m = spoil(r, m)
	}
	if err := h.send(m); err != nil && err != unix.EINVAL && err != unix.EMSGSIZE && err != unix.ENOBUFS {
		t.Fatalf("send %d bytes: %v", len(m), err)
	}
	if chance(r, 50) { // leave whatever has begun
		h.again(t)
		return
	}
	if err := h.drain(func(p part) {
		switch {
		case p.seq != seq || p.typ != unix.NLMSG_ERROR && p.typ != unix.NLMSG_DONE:
		case p.errno() == 0:
			c.done++
		default:
			c.refused++
		}
	}); err != nil && err != unix.ENOBUFS {
		t.Fatalf("receive: %v", err)
	}
	if err := h.do(unix.NLMSG_NOOP, 0, nil, nil); err != nil {
		t.Fatalf("the kernel does not answer any more: %v", err)
	}
}

// again opens a new socket instead of the one there is.
func (h *host) again(t *testing.T) {
	t.Helper()
	if err := h.family.close(); err != nil {
		t.Fatal(err)
	}
	f, err := openFamily()
	if err != nil {
		t.Fatal(err)
	}
	h.family = f
}

// TestRequests: the specification has all commands that user space may send,
// and messages made after it are right.
func TestRequests(t *testing.T) {
	h := newHost(t)
	s := loadSpec(t)
	found := map[uint8]bool{}
	err := h.do(unix.GENL_ID_CTRL, 0, text(ctrlFamilyName, familyName).append([]byte{ctrlGetFamily, 1, 0, 0}), func(p part) {
		const ctrlOps, ctrlOpID = 6, 1
		for _, a := range parse(p.body[genlHeaderBytes:]) {
			if a.typ != ctrlOps {
				continue
			}
			for _, op := range parse(a.data) {
				for _, a := range parse(op.data) {
					if a.typ == ctrlOpID {
						found[uint8(binary.NativeEndian.Uint32(a.data))] = true
					}
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	specified := map[uint8]bool{}
	for _, q := range s.requests() {
		specified[q.cmd] = true
	}
	if !maps.Equal(found, specified) {
		t.Errorf("the module knows the commands %v, the specification %v", fmt.Sprint(found), fmt.Sprint(specified))
	}
}
