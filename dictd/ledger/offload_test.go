// SPDX-License-Identifier: MIT

package ledger

import (
	"net/netip"
	"slices"
	"testing"

	"nftdict/dictd/conntrack"
)

// besideDouble is what the kernel knows of connections in flowtables.
type besideDouble struct {
	known     map[uint32]Passed
	forgotten []uint32
	off       bool
}

func (b *besideDouble) Active() (bool, error)             { return !b.off, nil }
func (b *besideDouble) Slow(id uint32) ([2]uint64, error) { return b.known[id].Slow, nil }
func (b *besideDouble) Read() (map[uint32]Passed, error)  { return b.known, nil }
func (b *besideDouble) Forget(ids []uint32) error {
	b.forgotten = append(b.forgotten, ids...)
	for _, id := range ids {
		delete(b.known, id)
	}
	return nil
}

// slow lets packets of a connection pass the rules, once it is noted.
func (b *besideDouble) slow(f *conntrack.Flow, orig, reply uint64) {
	move(f, orig, reply)
	if p, ok := b.known[f.ID]; ok {
		p.Slow[0] += orig
		p.Slow[1] += reply
		b.known[f.ID] = p
	}
}

// note lets a connection go into a flowtable.
func (b *besideDouble) note(f *conntrack.Flow) {
	b.known[f.ID] = Passed{Began: [2]uint64{f.Counters[0].Bytes, f.Counters[1].Bytes}}
}

// withBeside makes a world in which connections go into flowtables.
func withBeside(t *testing.T, dir string) (*world, *besideDouble, *[2]uint64) {
	w := newWorld(t, dir)
	b := &besideDouble{known: make(map[uint32]Passed)}
	booked := new([2]uint64)
	attach := func() {
		w.cfg.Beside = b
		w.cfg.Book = func(client, server netip.Addr, original, reply uint64, label Label) {
			if client != inside.Addr() || server != outside.Addr() || label.Application != "VIDEO" {
				t.Errorf("booked for %s and %s, %+v", client, server, label)
			}
			booked[0] += original
			booked[1] += reply
		}
	}
	attach()
	w.poll()
	return w, b, booked
}

// What moves beside the rules is booked, what passes them is not, and neither is
// anything twice: slow packets before, while and after, between rounds and at the
// end.
func TestBeside(t *testing.T) {
	w, b, booked := withBeside(t, "")
	want := func(orig, reply uint64) {
		t.Helper()
		w.poll()
		if *booked != [2]uint64{orig, reply} {
			t.Errorf("booked %d, want %d and %d", *booked, orig, reply)
		}
	}
	f := w.flow(1, inside, outside)
	b.slow(f, 100, 200) // before
	want(0, 0)
	b.slow(f, 100, 200)
	b.note(f)
	move(f, 1000, 5000) // beside
	b.slow(f, 10, 20)
	want(1000, 5000)
	want(1000, 5000)
	b.slow(f, 10, 20)
	want(1000, 5000)
	move(f, 1, 2)
	// A packet that passes between the counters and what is known of them is not
	// booked, and a closer look has all.
	w.kernel.during = func() {
		w.kernel.during = nil
		b.slow(f, 500, 500)
	}
	w.poll()
	if *booked != [2]uint64{1001, 5002} {
		t.Errorf("booked %d", *booked)
	}
	want(1001, 5002)
	move(f, 7, 7)
	b.slow(f, 60, 60) // the end
	w.kernel.end(f)
	w.kernel.Drain()
	want(1008, 5009)
	if !slices.Equal(b.forgotten, []uint32{1}) {
		t.Errorf("forgotten %d", b.forgotten)
	}
	// One that comes and goes between two rounds.
	g := w.flow(2, inside, outside)
	b.slow(g, 100, 100)
	b.note(g)
	move(g, 40, 50)
	w.kernel.end(g)
	w.kernel.Drain()
	want(1048, 5059)
	// One that never went there, under an id that is still noted.
	h := w.flow(3, inside, outside)
	b.known[3] = Passed{Began: [2]uint64{1e9, 1e9}}
	b.slow(h, 100, 100)
	want(1048, 5059)
	// The machine forgot what was noted, and notes it anew.
	b.note(h)
	move(h, 100, 100)
	want(1148, 5159)
	b.slow(h, 10, 10)
	b.note(h)
	move(h, 1, 1)
	want(1149, 5160)
	if s := w.Stats().Offloaded; s != (Offloaded{1149, 5160}) {
		t.Errorf("stats %+v", s)
	}
	// What is noted of nobody goes, when it is sure that he does not come.
	b.known[99] = Passed{}
	w.poll()
	if _, ok := b.known[99]; !ok {
		t.Error("forgotten at first sight")
	}
	w.poll()
	if _, ok := b.known[99]; ok {
		t.Error("what is noted of nobody stays")
	}
}

// A restart books nothing twice, and what moved meanwhile once.
func TestBesideCrash(t *testing.T) {
	w, b, booked := withBeside(t, t.TempDir())
	cfg := w.cfg
	f := w.flow(1, inside, outside)
	b.slow(f, 100, 200)
	b.note(f)
	move(f, 1000, 5000)
	w.poll()
	move(f, 1, 2)
	b.slow(f, 10, 10)
	w.crash()
	w.cfg.Beside, w.cfg.Book = cfg.Beside, cfg.Book
	w.poll()
	w.poll()
	if *booked != [2]uint64{1001, 5002} {
		t.Errorf("booked %d", *booked)
	}
}

// Budgets have what is booked before the disk says that it is: a daemon that dies
// in between books it again, and not never.
func TestBookedBeforeSaved(t *testing.T) {
	w, b, booked := withBeside(t, t.TempDir())
	var told [][2]uint64
	w.cfg.Booked = func() {
		if len(w.dirty) == 0 {
			t.Error("it is on the disk already")
		}
		told = append(told, *booked)
	}
	w.poll()
	f := w.flow(1, inside, outside)
	b.slow(f, 100, 200)
	b.note(f)
	w.poll()
	move(f, 1000, 5000)
	w.poll()
	w.poll()
	if want := [][2]uint64{{1000, 5000}}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
