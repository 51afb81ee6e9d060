// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"testing"
	"time"

	"nftdict/dictd/config"
	"nftdict/internal/lab"
)

// What the flowtable carries is asked about when rules of others say something else by
// themselves: one asks the clock, of another's set an element ends.
func TestOffloadClock(t *testing.T) {
	l := offloading(t)
	run(t, l.Gateway, "nft", "delete table inet fast")
	d := startOn(t, l.Gateway, openEBPF(t, l.Gateway), func(c *config.Config) { c.Offload.Enable, c.Reverse.Names = true, "off" })
	site, _ := l.Site("example.org")
	clock := stream(t, l, netip.AddrPortFrom(site.Addr4, 7790), 6_000)
	element := stream(t, l, netip.AddrPortFrom(site.Addr4, 7791), 6_000)
	fast := func(s *streaming) bool { f := s.flow(t, d); return f.Offloaded() }
	eventually(t, "both are in the flowtable", func() bool { return fast(clock) && fast(element) })
	const after = 4 * time.Second
	at := time.Now().Add(after).Truncate(time.Second)
	run(t, l.Gateway, "env", "TZ=UTC", "nft", `add table inet mine; add set inet mine allowed { type ipv4_addr; flags timeout; };
		add chain inet mine forward { type filter hook forward priority 10; }
		add rule inet mine forward meta l4proto tcp ct original proto-dst 7790 meta time >= "`+at.UTC().Format(time.DateTime)+`" drop
		add element inet mine allowed { `+lab.Client4.String()+` timeout `+after.String()+` }
		add rule inet mine forward meta l4proto tcp ct original proto-dst 7791 ip saddr != @allowed ip daddr != @allowed drop`)
	ends := time.Now().Add(after)
	before := d.Status().Offload.Renewed
	for _, c := range []struct {
		what string
		of   *streaming
		at   time.Time
	}{{"the clock has", clock, at}, {"the end of an element has", element, ends}} {
		asked := false // it was there with the rules
		eventually(t, c.what+" taken it back", func() bool {
			on := fast(c.of)
			asked = asked || on && time.Now().Before(c.at)
			return time.Now().After(c.at) && !on
		})
		t.Logf("%s taken it back after %v; it was there before: %v", c.what, time.Since(c.at), asked)
	}
	t.Logf("asked %d times", d.Status().Offload.Renewed-before)
}
