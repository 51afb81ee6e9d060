// SPDX-License-Identifier: MIT

package e2e

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	vnl "github.com/vishvananda/netlink"

	"nftdict/dictd/api"
	"nftdict/internal/lab"
)

const (
	crossSite    = "www.youtube.com"
	crossPackets = 20 // at least, of a connection
	crossPeer    = "10.9.0.2"
	crossRules   = "table inet house { chain forward { type filter hook forward priority 0; ct state invalid drop; counter; }; }\n"
	crossFast    = "table inet fast { flowtable f { hook ingress priority 0; devices = { lan0, wan0 }; counter; }\n" +
		"chain forward { type filter hook forward priority 300; ct state established meta l4proto tcp flow add @f; }; }\n"
	crossRest = "[rules]\nremove_on_stop = true\n[reverse]\nnames = \"off\"\n"
	crossConf = "backend = \"kmod\"\n" + crossRest
)

// crossing makes connections from the client to a site.
type crossing struct {
	*rig
	client   *client
	ct       *conntrack.Conn
	site     netip.Addr
	protocol string
	requests int // of a connection
}

func newCrossing(b *testing.B, r *rig) *crossing {
	b.Helper()
	site, ok := r.Site(crossSite)
	if !ok {
		b.Fatal("the lab has no site")
	}
	c := &crossing{rig: r, site: site.Addr4, client: newClient(b, r.Lab)}
	var err error
	if c.ct, err = conntrack.Dial(&netlink.Config{NetNS: r.Gateway.FD()}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.ct.Close() })
	h, err := r.Client.Netlink()
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	if err := h.LinkAdd(&vnl.Veth{LinkAttrs: vnl.LinkAttrs{Name: "direct"}, PeerName: "direct", PeerNamespace: vnl.NsFd(r.Internet.FD())}); err != nil {
		b.Fatal(err)
	}
	for ns, addr := range map[*lab.Namespace]string{r.Client: "10.9.0.1/24", r.Internet: crossPeer + "/24"} {
		for _, line := range []string{"address add " + addr + " dev direct", "link set direct up"} {
			if out, err := ns.Command(context.Background(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
				b.Fatalf("ip %s: %v\n%s", line, err, out)
			}
		}
	}
	return c
}

// choose finds out how many requests make the packets that are wanted.
func (c *crossing) choose() {
	c.t.Helper()
	const some = 5
	for c.requests = 1; ; c.requests++ {
		before := c.packets()
		c.several(c.site, some)
		time.Sleep(100 * time.Millisecond) // the last packet's way
		if n := c.packets() - before; n >= some*crossPackets {
			c.t.Logf("%d requests, %.1f packets a connection", c.requests, float64(n)/some)
			return
		}
	}
}

// packets returns how many have passed between client and gateway.
func (c *crossing) packets() uint64 {
	c.t.Helper()
	h, err := c.Gateway.Netlink()
	if err != nil {
		c.t.Fatal(err)
	}
	defer h.Close()
	link, err := h.LinkByName("lan0")
	if err != nil {
		c.t.Fatal(err)
	}
	s := link.Attrs().Statistics
	return s.RxPackets + s.TxPackets
}

func (c *crossing) several(to netip.Addr, n int) {
	c.t.Helper()
	c.client.do(c.t, order{c.protocol, to, n, c.requests})
}

// measure returns what a connection costs one way, until conntrack and dictd have
// forgotten it. What the machine does at rest meanwhile is taken off.
func (c *crossing) measure(way string) bill {
	c.t.Helper()
	const warm = 15
	n := 60.0
	if c.protocol == "http" {
		n = 150 // so that the machine's rest is little beside it
	}
	to := c.site
	var d *daemon
	switch way {
	case wayDirect:
		to = netip.MustParseAddr(crossPeer)
	case wayTracked:
		c.load(crossRules)
	case wayFlowtable:
		c.load(crossRules + crossFast)
	case wayClassified:
		c.load(crossRules)
		d = c.start(crossConf)
	case wayOffloaded:
		c.load(crossRules)
		d = c.start(crossConf + "[offload]\nenable = true\n")
	}
	defer func() {
		if d != nil {
			d.stop()
		}
		c.load("flush ruleset\n")
	}()
	forget := func() {
		c.t.Helper()
		if err := c.ct.Flush(); err != nil {
			c.t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	// What the ends leave behind is collected between measurements: the share of it that
	// would fall into one is as much as what is looked for.
	// They find room that the process has already.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.KeepAlive(bytes.Repeat([]byte{1}, 32<<20))
	c.several(to, warm)
	runtime.GC()
	c.client.do(c.t, order{to: to})
	forget()
	pid, before := 0, api.Status{}
	if d != nil {
		pid, before = d.cmd.Process.Pid, c.status()
	}
	idle := c.read(pid)
	time.Sleep(4 * time.Second) // the ledger's period
	start := c.read(pid)
	rest := start.since(idle)
	c.several(to, int(n))
	forget()
	end := c.read(pid)
	total := end.since(start)
	each := func(of func(reading) int64) float64 {
		still := float64(of(rest)) / float64(rest.clock) * float64(total.clock)
		return (float64(of(total)) - still) / n
	}
	out := bill{
		billed:             each(func(r reading) int64 { return r.busy }),
		"a second at rest": float64(rest.busy) / float64(rest.clock) * 1e9,
	}
	if way != wayDirect && way != wayForwarded {
		out["packets at forward"] = c.slow() / (warm + n)
	}
	if d != nil {
		out["dictd's process"] = each(func(r reading) int64 { return r.daemon })
		after := c.status()
		for i, q := range after.Queues {
			out["queued"] += float64(q.Packets-before.Queues[i].Packets) / n
		}
		for what, v := range map[string]uint64{
			"events":    after.Conntrack.Events - before.Conntrack.Events,
			"puts":      after.Writes.Puts - before.Writes.Puts,
			"cells":     after.Writes.Cells - before.Writes.Cells,
			"deletions": after.Writes.Deletes - before.Writes.Deletes,
		} {
			out[what] = float64(v) / n
		}
	}
	return out
}

// load loads a ruleset at the gateway.
func (c *crossing) load(text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, "rules")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.must("nft", "-f", path)
}

// slow returns how many packets have passed the chain at forward.
func (c *crossing) slow() float64 {
	c.t.Helper()
	_, text, _ := strings.Cut(c.must("nft", "list", "chain", "inet", "house", "forward"), "counter packets ")
	word, _, _ := strings.Cut(text, " ")
	n, err := strconv.ParseFloat(word, 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}
