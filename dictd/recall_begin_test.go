// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// A row that is written as soon as the flowtable is there takes back what has come into it
// by then, be it there since dictd started or since a reload.
func TestRecallFromTheBeginning(t *testing.T) {
	const reloads = 2
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		begin := func(enable bool) *running {
			return startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable = enable })
		}
		site, _ := l.Site("example.org")
		newTalker(t, l, site, 7777)
		d := begin(false)
		u := datagramsFrom(t, l, d, lab.Client4, netip.AddrPortFrom(site.Addr4, 7777))
		kept := func(is bool) {
			t.Helper()
			mustPut(t, on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "no_offload", dict.BoolValue(is))
		}
		check := func() {
			t.Helper()
			start := time.Now()
			eventually(t, "it is in the flowtable", u.fast)
			came := time.Since(start)
			start = time.Now()
			kept(true)
			eventually(t, "it is kept off", func() bool { return !u.fast() })
			t.Logf("there after %v, kept off %v after its row was written", came, time.Since(start))
		}
		enable := func(is bool) {
			t.Helper()
			c := *d.config.Load()
			c.Offload.Enable = is
			if err := d.Reload(c); err != nil {
				t.Fatal(err)
			}
		}
		enable(true)
		since := time.Now()
		eventually(t, "all is known and it stays in the flowtable", func() bool {
			if !u.fast() {
				since = time.Now()
			}
			return time.Since(since) > 3*rowsEvery
		})
		for range reloads {
			enable(false)
			kept(false)
			eventually(t, "there is no flowtable", func() bool { return !u.fast() })
			time.Sleep(2 * rowsEvery) // it has been seen that rows are of no interest
			enable(true)
			check()
		}
		d.stop()
		kept(false)
		d = begin(true)
		u.d = d
		check()
	})
}
