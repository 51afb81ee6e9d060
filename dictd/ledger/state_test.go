// SPDX-License-Identifier: MIT

package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nftdict/dictd/boltfile"
)

// After a crash all goes on where the last write ended, and what moved in the
// meantime is billed.
func TestCrash(t *testing.T) {
	w := newWorld(t, t.TempDir())
	w.poll()
	f, g := w.flow(1, inside, outside), w.flow(2, inside, outside)
	g.Orig.SrcPort = 1
	move(f, 100, 200)
	move(g, 10, 20)
	w.poll()
	move(f, 1, 2)
	w.kernel.end(g)
	w.crash()
	w.want(110, 220)
	h := w.flow(3, inside, outside)
	h.Start = uint64(w.now.Add(-time.Second).UnixNano()) // while nobody was there
	h.Orig.SrcPort = 2
	move(h, 1000, 2000)
	w.poll()
	w.want(1111, 2222)
	w.crash()
	w.want(1111, 2222)
	w.poll()
	w.want(1111, 2222)
	if one := w.cells[Key{inside.Addr(), [6]byte{2}, "bob", "VIDEO"}]; one == nil || one.use.Connections != 3 {
		t.Errorf("cells %+v", w.cells)
	}
	// The machine was started again: connections are others'.
	w.cfg.State.boot = "other"
	w.poll()
	if err := w.Save(); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherBoot(t *testing.T) {
	w := newWorld(t, t.TempDir())
	f := w.flow(1, inside, outside)
	move(f, 100, 200)
	w.poll()
	w.cfg.State.boot = "another"
	move(f, 1, 2)
	w.stats.Saved = 0 // the next is written under the other name
	w.poll()
	w.crash()
	w.want(101, 202)
	if w.resumed || w.conns.n != 0 {
		t.Error("connections of another boot are taken over")
	}
	w.poll()
	w.want(101, 202) // where they came from is not known
}

// Hours that are over go to their days, once.
func TestOver(t *testing.T) {
	w := newWorld(t, t.TempDir())
	f := w.flow(1, inside, outside)
	for range 3 {
		move(f, 10, 20)
		w.poll()
		w.now = w.now.Add(time.Hour)
	}
	move(f, 10, 20)
	if err := w.Poll(); err != nil {
		t.Fatal(err)
	}
	w.crash()
	w.poll()
	w.poll()
	day := w.usage(Query{Period: Day})
	if len(day) != 1 || len(day[0].Uses) != 1 || day[0].Uses[0].Out.Bytes != 40 || day[0].Uses[0].Connections != 1 {
		t.Errorf("days %+v", day)
	}
	if hours := w.usage(Query{Period: Hour}); len(hours) != 4 {
		t.Errorf("hours %+v", hours)
	}
}

// A period is read when its turn comes, and a reader who is slow holds nobody up.
func TestUsageIsReadByPeriods(t *testing.T) {
	w := newWorld(t, t.TempDir())
	f := w.flow(1, inside, outside)
	for i := range 4 {
		w.now = w.now.Add(time.Duration(min(i, 1)) * time.Hour)
		move(f, 10, 20)
		w.poll()
	}
	last := uint64(0)
	for one, err := range w.Usage(Query{Period: Hour}) {
		if err != nil || len(one.Uses) != 1 {
			t.Fatalf("%+v, %v", one, err)
		}
		last = one.Uses[0].Out.Bytes
		move(f, 1, 1)
		w.poll()
	}
	if last != 13 {
		t.Errorf("the last hour has %d bytes, want those that came meanwhile, too: 13", last)
	}
}

// A journal that grows is begun anew, and says the same.
func TestJournalBegunAnew(t *testing.T) {
	w := newWorld(t, t.TempDir())
	w.poll()
	f := w.flow(1, inside, outside)
	for range 10 {
		move(f, 10, 20)
		w.poll()
	}
	w.cfg.State.size = 100 << 20
	move(f, 10, 20)
	w.poll()
	if w.cfg.State.size > 1000 {
		t.Errorf("the journal has %d bytes", w.cfg.State.size)
	}
	w.crash()
	w.want(110, 220)
	w.poll()
	w.want(110, 220)
}

// A write that fails is done with the next.
func TestDiskFails(t *testing.T) {
	w := newWorld(t, t.TempDir())
	w.poll()
	f := w.flow(1, inside, outside)
	move(f, 10, 20)
	if err := w.Poll(); err != nil {
		t.Fatal(err)
	}
	if err := w.cfg.State.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Save(); err == nil {
		t.Fatal("no error of a file that is closed")
	}
	state, err := OpenState(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	state.next = w.cfg.State.next
	w.cfg.State = state
	w.poll()
	w.crash()
	w.want(10, 20)
}

func TestInUse(t *testing.T) {
	w := newWorld(t, t.TempDir())
	if _, err := OpenState(w.dir); !errors.Is(err, boltfile.ErrInUse) {
		t.Errorf("the second: %v", err)
	}
}

func TestRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "below", "records")
	r, err := OpenRecords(path, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		r.Add(&Record{Client: inside.Addr(), Server: outside.Addr()})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if s := r.Stats(); s.Written != 40 || s.Lost != 0 || s.LastError != "" {
		t.Errorf("stats %+v", s)
	}
	for _, name := range []string{path, path + ".1", path + ".3"} {
		text, err := os.ReadFile(name)
		if err != nil || len(text) > 1000 || !bytes.HasPrefix(text, []byte(`{"end":`)) {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
	if _, err := os.Stat(path + ".4"); err == nil {
		t.Error("too many old files")
	}
}

func FuzzDecode(f *testing.F) {
	w := newWorld(f, "")
	move(w.flow(1, inside, outside), 10, 20)
	w.poll()
	all := w.all()
	f.Add(all.encode())
	f.Add([]byte{codecVersion, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(s.encode())
		if err != nil || len(again.cells) != len(s.cells) || len(again.conns) > len(s.conns) {
			t.Fatalf("%v: %d cells, want %d", err, len(again.cells), len(s.cells))
		}
		for i, one := range s.cells {
			if *again.cells[i] != *one {
				t.Fatalf("%+v, want %+v", again.cells[i], one)
			}
		}
	})
}
