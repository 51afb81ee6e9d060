// SPDX-License-Identifier: MIT

package dictd

import (
	"net"
	"testing"
	"time"

	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// Connections are taken back one after the other out of many, by their ids: these, and no
// others, and not by looks at all. Where entries are made anew there are some of these beside,
// for rows that have gone with an entry while rows were looked at.
func TestRecallOneByOne(t *testing.T) {
	long(t)
	offloadingOn(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		const count = 400
		site, _ := l.Site("example.org")
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0, "off" })
		newTalker(t, l, site, 7777)
		all := make([]net.Conn, count)
		flows := make([]conntrack.Flow, count)
		find := func(i int) conntrack.Flow { t.Helper(); return entryOf(t, d, all[i]) }
		for i := range all {
			all[i] = connectTo(t, l, site.Addr4, 7777)
		}
		for i := range all {
			eventually(t, "it is in the flowtable", func() bool {
				write(t, all[i], 100)
				flows[i] = find(i)
				return flows[i].Offloaded()
			})
		}
		run(t, l.Gateway, "nft", "flush chain inet fast forward")
		// It is noted when all are looked at; where they are so many the kernel is asked for
		// those of a host, as when something is found out of the client.
		noted := crowd{100 * walkWorth, time.Now()}
		note := func() (was crowd) {
			d.recall.mu.Lock()
			defer d.recall.mu.Unlock()
			was, d.recall.crowd = d.recall.crowd, noted
			return was
		}
		note()
		looks := 0
		begin := time.Now()
		for i := range count / 2 {
			if n, err := d.Recall(offload.Ct(flows[i].ID)); n != 1 || err != nil {
				t.Fatalf("connection %d: %d are taken back: %v", i, n, err)
			}
			if note() != noted {
				looks++
			}
		}
		t.Logf("%d of %d in %v, with %d looks at all", count/2, count, time.Since(begin), looks)
		if looks > count/8 {
			t.Errorf("all were looked at %d times over %d recalls", looks, count/2)
		}
		for i := range all {
			write(t, all[i], 100)
			f := find(i)
			switch back := i < count/2; {
			case back == f.Offloaded():
				t.Errorf("connection %d of %d, half of which are taken back: offloaded %v", i, count, f.Offloaded())
			case !back && f.ID != flows[i].ID:
				t.Errorf("connection %d is in another entry", i)
			case back:
				row(t, on, f.ID)
			}
		}
	})
}
