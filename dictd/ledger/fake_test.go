// SPDX-License-Identifier: MIT

package ledger

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"nftdict/dictd/conntrack"
	"nftdict/dictd/session"
)

// kernelDouble is a conntrack table whose events arrive when the test says so.
type kernelDouble struct {
	ledger  *Ledger
	live    []*conntrack.Flow
	pending []conntrack.Event
	hidden  map[*conntrack.Flow]bool // left out of dumps
	during  func()                   // runs after an entry was put into a dump and before it is read
	failing error
}

func (k *kernelDouble) Dump(f func(*conntrack.Flow)) error {
	var shown []conntrack.Flow
	for _, flow := range k.live {
		if !k.hidden[flow] {
			shown = append(shown, *flow)
		}
	}
	if k.during != nil {
		k.during()
	}
	for i := range shown {
		f(&shown[i])
	}
	return k.failing
}

func (k *kernelDouble) Lookup(t conntrack.Tuple, zone uint16) (conntrack.Flow, error) {
	for _, f := range k.live {
		if f.Orig == t && f.Zone == zone {
			return *f, nil
		}
	}
	return conntrack.Flow{}, fmt.Errorf("double: %w", conntrack.ErrNotFound)
}

func (k *kernelDouble) Drain() error {
	all := k.pending
	k.pending = nil
	for i := range all {
		k.ledger.Handle(&all[i])
	}
	return nil
}

// end ends a connection; its event is pending.
func (k *kernelDouble) end(f *conntrack.Flow) {
	for i, o := range k.live {
		if o == f {
			k.live = append(k.live[:i:i], k.live[i+1:]...)
		}
	}
	k.pending = append(k.pending, conntrack.Event{Kind: conntrack.Destroy, Flow: *f})
}

// lose drops the pending events.
func (k *kernelDouble) lose() { k.pending = nil }

// world is a ledger with what it is told by.
type world struct {
	*Ledger
	t       testing.TB
	kernel  *kernelDouble
	now     time.Time
	dir     string
	records []Record
	label   Label
	rates   []session.Rate // of the last write
	failing error          // of such a write
}

var (
	inside  = netip.MustParseAddrPort("10.0.0.5:4000")
	outside = netip.MustParseAddrPort("192.0.2.1:443")
	gateway = netip.MustParseAddrPort("10.0.0.1:53")
)

func newWorld(t testing.TB, dir string) *world {
	t.Helper()
	w := &world{t: t, dir: dir, now: time.Date(2026, 3, 1, 10, 30, 0, 0, time.UTC), label: Label{"VIDEO", "media", true}}
	w.kernel = &kernelDouble{hidden: make(map[*conntrack.Flow]bool)}
	w.start()
	return w
}

// start makes the ledger, as a daemon that starts does.
func (w *world) start() {
	w.t.Helper()
	var state *State
	if w.dir != "" {
		var err error
		if state, err = OpenState(w.dir); err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { state.Close() })
	}
	var err error
	w.Ledger, err = New(Config{
		Kernel: w.kernel, State: state, Clock: func() time.Time { return w.now },
		Label: func(*conntrack.Flow) Label { return w.label },
		Local: func(a netip.Addr) bool { return a == gateway.Addr() },
		Rates: func(all []session.Rate) error {
			w.rates = append([]session.Rate(nil), all...)
			return w.failing
		},
		Ended: func(r *Record) { w.records = append(w.records, *r) },
		Who: func(a netip.Addr) Party {
			return Party{MAC: [6]byte{2}, User: "bob", Inside: netip.MustParsePrefix("10.0.0.0/8").Contains(a)}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.kernel.ledger = w.Ledger
}

// crash lets the daemon die, and another start.
func (w *world) crash() {
	w.t.Helper()
	if err := w.cfg.State.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.kernel.pending = nil // nobody listened
	w.start()
}

func (w *world) poll() {
	w.t.Helper()
	if err := errors.Join(w.Poll(), w.Save()); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(4 * time.Second)
}

// flow makes a living connection.
func (w *world) flow(id uint32, from, to netip.AddrPort) *conntrack.Flow {
	orig := conntrack.NewTuple(6, from, to)
	f := &conntrack.Flow{ID: id, Orig: orig, Reply: orig.Reverse(), Counted: true, Start: uint64(w.now.UnixNano())}
	w.kernel.live = append(w.kernel.live, f)
	return f
}

// move lets a connection move bytes, a packet in each direction.
func move(f *conntrack.Flow, orig, reply uint64) {
	f.Counters[0] = f.Counters[0].Add(conntrack.Counter{Packets: 1, Bytes: orig})
	f.Counters[1] = f.Counters[1].Add(conntrack.Counter{Packets: 1, Bytes: reply})
}

// want fails the test unless so many bytes are billed to the address inside.
func (w *world) want(out, in uint64) {
	w.t.Helper()
	var sum Use
	for _, h := range w.past {
		for _, one := range h.cells {
			sum.add(one.use)
		}
	}
	for k, one := range w.cells {
		if k.Address == inside.Addr() {
			sum.add(one.use)
		}
	}
	if sum.Out.Bytes != out || sum.In.Bytes != in {
		w.t.Helper()
		w.t.Errorf("%d bytes out, %d in, want %d and %d", sum.Out.Bytes, sum.In.Bytes, out, in)
	}
}

// usage returns all periods that a query asks for.
func (w *world) usage(q Query) (all []Uses) {
	w.t.Helper()
	for one, err := range w.Usage(q) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}
