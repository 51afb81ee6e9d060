// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"testing"
	"time"

	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// What the flowtable carries is asked about when rules of others say something else by
// themselves: one asks the clock, of another's set an element ends. Until then it stays
// there.
func TestOffloadClock(t *testing.T) {
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Reverse.Names = true, config.ReverseOff })
		site, _ := l.Site("example.org")
		clock := stream(t, l, netip.AddrPortFrom(site.Addr4, 7790), 6_000)
		element := stream(t, l, netip.AddrPortFrom(site.Addr4, 7791), 6_000)
		fast := func(s *streaming) bool { f := s.flow(t, d); return f.Offloaded() }
		slow := func(s *streaming) bool { f := s.flow(t, d); return f.ID != 0 && !f.Offloaded() }
		eventually(t, "both are in the flowtable", func() bool { return fast(clock) && fast(element) })

		// The rules are there, all were asked about, and what has left the flowtable for it is
		// back, before the time has come: where a machine is too slow for that there is more.
		const settled = time.Second
		var ends, at time.Time
		for after := 4 * time.Second; ; after *= 2 {
			if after > patience {
				t.Fatal("in vain: both are in the flowtable with the rules")
			}
			begin := time.Now()
			at = begin.Add(after).Truncate(time.Second)
			run(t, l.Gateway, "env", "TZ=UTC", "nft", `add table inet mine; delete table inet mine; add table inet mine; add set inet mine allowed { type ipv4_addr; flags timeout; };
				add chain inet mine forward { type filter hook forward priority 10; }
				add rule inet mine forward meta l4proto tcp ct original proto-dst 7790 meta time >= "`+at.UTC().Format(time.DateTime)+`" drop
				add element inet mine allowed { `+lab.Client4.String()+` timeout `+after.String()+` }
				add rule inet mine forward meta l4proto tcp ct original proto-dst 7791 ip saddr != @allowed ip daddr != @allowed drop`)
			ends = time.Now().Add(after)
			eventually(t, "all are asked about for the rules", func() bool { return d.Status().Offload.Installed.After(begin) })
			time.Sleep(settled)
			there := fast(clock) && fast(element)
			if time.Now().Before(at) {
				if there {
					break
				}
				t.Log("with the rules they are not both in the flowtable")
			}
		}
		before := d.Status().Offload.Renewed
		for _, c := range []struct {
			what string
			of   *streaming
			at   time.Time
		}{{"the clock has", clock, at}, {"the end of an element has", element, ends}} {
			var took time.Duration
			eventually(t, c.what+" taken it back", func() bool {
				took = time.Since(c.at)
				return took > 0 && slow(c.of)
			})
			t.Logf("%s taken it back after %v", c.what, took)
			if took > 10*time.Second { // 20 ms and a transaction, for which a busy guest has taken 5 s
				t.Errorf("%s taken it back %v after its time", c.what, took)
			}
			if c.of.ended.Load() != nil {
				t.Errorf("%s ended it", c.what)
			}
		}
		if n := d.Status().Offload.Renewed - before; n == 0 {
			t.Error("they were not asked about")
		}
	})
}
