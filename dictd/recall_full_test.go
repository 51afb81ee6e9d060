// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"net"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// Where entries are made anew connections that are taken back have their rows, with what
// others have written there, though not all of them have room beside those of before.
func TestRecallWhereRowsAreFull(t *testing.T) {
	const count, limit = 100, 160
	l := offloading(t)
	on := openEBPFWith(t, l.Gateway, backend.Options{Sessions: limit})
	site, _ := l.Site("example.org")
	d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0, config.ReverseOff })
	newTalker(t, l, site, 7777)
	all := make([]net.Conn, count)
	find := func(i int) conntrack.Flow { t.Helper(); return entryOf(t, d, all[i]) }
	port := func(i int) int64 { return int64(all[i].LocalAddr().(*net.TCPAddr).Port) }
	// What is found out of the client takes its connections back, which have other ids then.
	connectTo(t, l, site.Addr4, 7777)
	eventually(t, "the client is known", func() bool {
		_, err := on.Store.Get(dict.Devices, mustKey(t, dict.KeyEther, lab.ClientMAC))
		return err == nil
	})
	time.Sleep(2 * rowsEvery)
	for i := range all {
		all[i] = connectTo(t, l, site.Addr4, 7777)
		eventually(t, "it is known", func() bool {
			write(t, all[i], 100)
			r, err := on.Store.Get(dict.Sessions, dict.CtID(find(i).ID))
			_, ok := r.Get("client_port")
			return err == nil && ok
		})
		if err := on.Store.Put(dict.Sessions, dict.Row{Key: dict.CtID(find(i).ID), Cells: []dict.Cell{{Field: offload.FieldKeep, Value: dict.BoolValue(true)}}}); err != nil {
			t.Fatal(err)
		}
	}
	// fill leaves so much room.
	var filled []dict.Key
	next := uint32(1)
	fill := func(room int) {
		t.Helper()
		for ; ; next++ {
			err := on.Store.Put(dict.Sessions, dict.Row{Key: dict.CtID(next)})
			if errors.Is(err, dict.ErrFull) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			filled = append(filled, dict.CtID(next))
		}
		for ; room > 0; room-- {
			if err := on.Store.Delete(dict.Sessions, filled[0]); err != nil {
				t.Fatal(err)
			}
			filled = filled[1:]
		}
	}
	for _, room := range []int{0, 40} {
		since := time.Now()
		was := make([]conntrack.Flow, count)
		eventually(t, "all stay in the flowtable", func() bool {
			for i := range all {
				if f := find(i); !f.Offloaded() || f.ID != was[i].ID {
					write(t, all[i], 100)
					was[i], since = f, time.Now()
				}
			}
			return time.Since(since) > 2*rowsEvery
		})
		fill(room)
		run(t, l.Gateway, "nft", "flush chain inet fast forward")
		begin := time.Now()
		n, err := d.Recall(offload.Whom{Kind: offload.All})
		t.Logf("with room for %d, %d are taken back in %v", room, n, time.Since(begin))
		if n < count || err != nil {
			t.Errorf("with room for %d, %d are taken back: %v", room, n, err)
		}
		for i := range all {
			f := find(i)
			if f.Offloaded() || f.ID == was[i].ID {
				t.Errorf("with room for %d, connection %d is %+v, was %+v", room, i, f, was[i])
			}
			r, err := on.Store.Get(dict.Sessions, dict.CtID(f.ID))
			if got, _ := r.Get("client_port"); err != nil || got.Int64() != port(i) || value(r, offload.FieldKeep) != "true" {
				t.Errorf("with room for %d, connection %d from port %d has the row %v, %v", room, i, port(i), r, err)
			}
			if _, err := on.Store.Get(dict.Sessions, dict.CtID(was[i].ID)); !errors.Is(err, dict.ErrNotExist) {
				t.Errorf("with room for %d, the row of before of connection %d: %v", room, i, err)
			}
		}
		run(t, l.Gateway, "nft", "add rule inet fast forward meta l4proto { tcp, udp } ct state established flow add @f")
	}
}
