// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// failing are ways back that fail in one turn.
type failing struct {
	offload.Recaller
	fails int32 // 1 is the first
	first func()
	turn  atomic.Int32
}

func (f *failing) Recall(ids []uint32) ([]uint32, error) {
	turn := f.turn.Add(1)
	if turn == f.fails {
		return ids, errors.New("it fails, for a test")
	}
	missing, err := f.Recaller.Recall(ids)
	if turn == 1 && f.first != nil {
		f.first()
	}
	return missing, err
}

// A user's connections are those, too, that rows alone say are his, though he has a device
// elsewhere, or is named with his group; and what fails is tried again, be it the first look
// or the later one.
func TestRecallNamed(t *testing.T) {
	offloadingOn(t, namedRecalled)
}

func namedRecalled(t *testing.T, l *lab.Lab, on *backend.Backend) {
	site, _ := l.Site("example.org")
	d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0.5, "off" })
	newTalker(t, l, site, 7777)
	conn := connectTo(t, l, site.Addr4, 7777)
	fast := func() bool { t.Helper(); f := entryOf(t, d, conn); return f.Offloaded() }
	into := func() {
		t.Helper()
		eventually(t, "it is in the flowtable", func() bool { write(t, conn, 5000); return fast() })
	}
	// What is new of its host takes it back, once, when it has just come there.
	remains := func(conn net.Conn) {
		t.Helper()
		since := time.Now()
		eventually(t, "it stays in the flowtable", func() bool {
			write(t, conn, 5000)
			if f := entryOf(t, d, conn); !f.Offloaded() {
				since = time.Now()
			}
			return time.Since(since) > 2*rowsEvery
		})
	}
	stays := func() { t.Helper(); remains(conn) }
	says := func(name string) {
		t.Helper()
		if err := on.Store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(lab.Client4), Cells: []dict.Cell{{Field: "username", Value: dict.MustString(name)}}}); err != nil {
			t.Fatal(err)
		}
	}
	asked := func(whom ...offload.Whom) {
		t.Helper()
		d.AskRecall(whom...)
		eventually(t, "it is taken back", func() bool { return !fast() })
	}
	if err := d.who.Bind([6]byte{2, 0, 0, 0, 0, 1}, "bob"); err != nil {
		t.Fatal(err)
	}
	says("bob")
	stays()
	asked(offload.Whom{Kind: offload.OfUser, Name: "bob"})

	if err := d.who.SetUser("carl", []string{"kids"}); err != nil {
		t.Fatal(err)
	}
	says("carl")
	stays()
	asked(offload.Whom{Kind: offload.OfGroup, Name: "kids"})

	stays()
	ways := d.recall.ways
	by := func(f *failing) {
		f.Recaller = ways
		d.recall.mu.Lock()
		defer d.recall.mu.Unlock()
		d.recall.ways = offload.Recallers{f}
	}
	by(&failing{fails: 1})
	if _, err := d.Recall(offload.Whom{Kind: offload.OfHost, Name: lab.Client4.String()}); err == nil {
		t.Error("a recall that failed is told as one")
	}
	eventually(t, "it is taken back by another try", func() bool { return !fast() })

	// Into the flowtable behind the look at another: the later look finds it, and fails.
	other := connectTo(t, l, site.Addr6, 7777)
	remains(other)
	f := &failing{fails: 2, first: into}
	by(f)
	if n, err := d.Recall(offload.Whom{Kind: offload.All}); n == 0 || err != nil {
		t.Errorf("%d are taken back: %v", n, err)
	}
	eventually(t, "one that came late is taken back by another try", func() bool { return f.turn.Load() >= 3 && !fast() })
}
