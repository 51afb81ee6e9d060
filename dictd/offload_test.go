// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/dictd/quota/plan"
	"nftdict/dictd/rules"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// The daemon's own flowtable over all devices of the gateway, and rules of others in
// front of it:
//
//	client ---- lan0 gateway (dictd, inet dictd_offload) wan0 ---- internet

// offloadedBy is a test of both backends, in labs whose kernel has flowtables.
func offloadedBy(t *testing.T, f func(*testing.T, *lab.Lab, *backend.Backend)) {
	offloadedOn(t, backend.EBPF, f)
	offloadedOn(t, backend.Kmod, f)
}

// offloadedOn is a test of one of them.
func offloadedOn(t *testing.T, kind string, f func(*testing.T, *lab.Lab, *backend.Backend)) {
	t.Run(kind, func(t *testing.T) {
		l := labtest.New(t, lab.Config{})
		need.Feature(t, "flowtable", func() error {
			return l.Gateway.Command(context.Background(), "nft", "add table inet x; add flowtable inet x f { hook ingress priority 0; }; delete table inet x").Run()
		})
		if kind == backend.Kmod {
			f(t, l, openKmod(t, l.Gateway))
		} else {
			f(t, l, openEBPF(t, l.Gateway))
		}
	})
}

// inFlowtable returns how many connections to a port are in a flowtable.
func inFlowtable(t *testing.T, l *lab.Lab, port uint16) (n int) {
	t.Helper()
	c, err := conntrack.Dial(l.Gateway.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Dump(func(f *conntrack.Flow) {
		if f.Offloaded() && f.Orig.DstPort == port {
			n++
		}
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Where the kernel has no flowtables the daemon goes on without, and says so.
func TestOffloadWithoutFlowtables(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	d := startOn(t, l.Gateway, openEBPF(t, l.Gateway), func(c *config.Config) {
		c.Offload.Enable = true
		c.Plans = []plan.Spec{{Name: "all", For: []string{"users"}, Volume: "1GB", Period: "none"}} // all kinds of rules are compiled
	})
	s, probed := d.Status(), rules.ProbeFlowtable(l.Gateway.FD())
	if probed == nil {
		if s.Offload.State != "software" {
			t.Errorf("%+v", s.Offload)
		}
		return
	}
	if s.Offload.State != "failed" || !slices.ContainsFunc(s.Warnings, func(text string) bool { return strings.Contains(text, "no flowtables") }) {
		t.Errorf("the probe says %v; %+v, %q", probed, s.Offload, s.Warnings)
	}
	fetch(t, l, 4, false, "https://www.netflix.com/")
	if list := run(t, l.Gateway, "nft", "list", "tables"); strings.Contains(list, offload.TableName("dictd")) {
		t.Errorf("left behind:\n%s", list)
	}
}

func TestOffload(t *testing.T) {
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		begin := func(follow bool) *running {
			return startOn(t, l.Gateway, on, func(c *config.Config) {
				c.Offload.Enable, c.Offload.Follow, c.Offload.Keep.Applications = true, follow, []string{"HTTP"}
			})
		}
		d := begin(false) // so that it is the kernel who takes what devices have carried
		if s := d.Status().Offload; s.State != "software" || len(s.Devices) != 2 {
			t.Fatalf("%+v", s)
		}
		get := func(v *lab.Visit) {
			t.Helper()
			if _, err := v.Get(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
		}
		open := func(family int, http3 bool, url string) *lab.Visit {
			t.Helper()
			b := l.Browser()
			b.Family, b.HTTP3 = family, http3
			v, err := b.Open(url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { v.Close() })
			get(v)
			return v
		}
		video := open(4, false, "https://www.youtube.com/")
		quic := open(6, true, "https://www.youtube.com/")
		slow := open(4, false, "http://example.org/")
		all := func(n int) func() bool {
			return func() bool { get(video); get(quic); get(slow); return inFlowtable(t, l, 443) == n }
		}
		eventually(t, "TCP and UDP, IPv4 and IPv6, are in the flowtable", all(2))
		if n := inFlowtable(t, l, 80); n != 0 {
			t.Errorf("%d connections are offloaded that are kept", n)
		}

		// What is to be seen of it, when what is found out of the client, for which they
		// are taken back, has been written.
		eventually(t, "flows are as they should be", func() bool {
			all(2)()
			states := map[string]int{}
			for _, f := range d.flows(t) {
				if f.Application != "YOUTUBE" || f.In.Bytes > 0 && f.Out.Packets > 0 && f.Final && f.Category == "streaming" {
					states[f.Application+" "+f.State]++
				}
			}
			return states["YOUTUBE software"] == 2 && states["HTTP slow"] == 1
		})

		// goes has a device go: so many connections are in the flowtable before, also while
		// they are silent, and those that it has carried are not when it has gone. For want of
		// packets they would leave after 30 s.
		goes := func(before int, get func() bool, then func() bool, how ...string) {
			t.Helper()
			eventually(t, "they stay in the flowtable", func() bool {
				get()
				if inFlowtable(t, l, 443) != before {
					return false
				}
				time.Sleep(500 * time.Millisecond)
				return inFlowtable(t, l, 443) == before
			})
			run(t, l.Gateway, "ip", append([]string{"link"}, how...)...)
			begin := time.Now()
			eventually(t, "what a device has carried goes with it", then)
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("what a device has carried goes %v after it", took)
			}
		}
		// A device comes, carries, goes with what it carries, and comes again.
		devices := func() string { return run(t, l.Gateway, "nft", "list", "flowtables") }
		run(t, l.Internet, "ip", "route", "add", "10.9.0.0/24", "via", lab.GatewayWAN4.String())
		site, _ := l.Site("www.netflix.com")
		for range 2 {
			run(t, l.Gateway, "ip", "link", "add", "lan9", "type", "veth", "peer", "name", "eth9", "netns", l.Client.Path())
			eventually(t, "the device is in the flowtable", func() bool { return strings.Contains(devices(), "lan9") })
			for _, end := range []struct {
				ns           *lab.Namespace
				dev, address string
			}{{l.Gateway, "lan9", "10.9.0.1/24"}, {l.Client, "eth9", "10.9.0.2/24"}} {
				run(t, end.ns, "ip", "address", "add", end.address, "dev", end.dev)
				run(t, end.ns, "ip", "link", "set", end.dev, "up")
			}
			run(t, l.Client, "ip", "route", "add", site.Addr4.String(), "via", "10.9.0.1")
			over := open(4, false, "https://www.netflix.com/")
			goes(3, func() bool { get(over); return all(3)() }, all(2), "del", "lan9")
			eventually(t, "the device is not in the flowtable", func() bool {
				return !strings.Contains(devices(), "lan9") && len(d.Status().Offload.Devices) == 2
			})
		}
		if err := l.Gateway.Sysctl("net.ipv6.conf.lan0.keep_addr_on_down", "1"); err != nil {
			t.Fatal(err)
		}
		goes(2, all(2), func() bool { return inFlowtable(t, l, 443) == 0 }, "set", "lan0", "down")
		run(t, l.Gateway, "ip", "link", "set", "lan0", "up")
		eventually(t, "the way back is there", func() bool {
			return !strings.Contains(run(t, l.Gateway, "ip", "address", "show", "dev", "lan0"), "tentative") && strings.Contains(run(t, l.Gateway, "ip", "-6", "route"), "lan0")
		})
		eventually(t, "connections go on after the link was down", all(2))

		// Somebody deletes the table, where that is possible.
		if !d.Status().Kernel.Owner {
			run(t, l.Gateway, "nft", "delete", "table", "inet", offload.TableName("dictd"))
			eventually(t, "the table is back", func() bool { return d.Status().Offload.Reinstalled == 1 })
		}
		eventually(t, "connections go on after the table was deleted", all(2))

		// With the daemon away the table stays, and the next one takes it over.
		d.stop()
		eventually(t, "connections are in the flowtable while there is no daemon", all(2))
		if !strings.Contains(devices(), "fast") {
			t.Error("the table has gone with the daemon")
		}
		d = begin(true)
		eventually(t, "connections go on after a restart", all(2))

		// Routes and rules of others are asked again.
		renews := func(what string, change func()) {
			t.Helper()
			was := d.Status().Offload
			change()
			eventually(t, what+" is noticed, and all are asked about again", func() bool {
				s := d.Status().Offload
				return s.Renewed > was.Renewed && s.Installed.After(was.Installed) && s.Error == ""
			})
		}
		renews("a change of routes", func() { run(t, l.Gateway, "ip", "route", "add", "203.0.113.0/24", "dev", "wan0") })
		renews("a change of rules", func() {
			run(t, l.Gateway, "nft", "add table inet other; add chain inet other forward { type filter hook forward priority 0; }; add rule inet other forward udp dport 443 drop")
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := quic.Get(ctx, ""); err == nil {
			t.Error("a rule of others is passed by")
		}
		if behind, err := rules.Behind(l.Gateway.FD(), offload.Flowtable, -1); err != nil || len(behind) > 0 {
			t.Errorf("behind the flowtable are said to be %q, %v", behind, err)
		}
		get(video)
		renews("a table that comes", func() {
			if err := on.Store.AddTable(dict.Table{Name: "blocked", Key: dict.KeyAddress, Limit: 10, Fields: []dict.Field{{Name: "why", Type: dict.String}}}); err != nil {
				t.Fatal(err)
			}
		})
		renews("a row of it", func() {
			if err := on.Store.Put("blocked", dict.Row{Key: dict.AddrKey(lab.Client4), Cells: []dict.Cell{{Field: "why", Value: dict.MustString("x")}}}); err != nil {
				t.Fatal(err)
			}
		})

		// And it goes with a reload.
		c := *d.config.Load()
		c.Offload.Enable = false
		if err := d.Reload(c); err != nil {
			t.Fatal(err)
		}
		get(video)
		eventually(t, "nothing is left", func() bool { return inFlowtable(t, l, 443) == 0 && !strings.Contains(devices(), "fast") })
		get(video)
	})
}
