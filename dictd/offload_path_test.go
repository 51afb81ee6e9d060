// SPDX-License-Identifier: MIT

package dictd

import (
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/quota/plan"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/fakenic"
)

// flows returns all connections.
func (r *running) flows(t *testing.T) (all []api.Flow) {
	t.Helper()
	if err := r.Flows(func(f *api.Flow) bool { all = append(all, *f); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

// stateOf returns which way the connections of an application take.
func (r *running) stateOf(t *testing.T, application string) (states []string) {
	t.Helper()
	for _, f := range r.flows(t) {
		if f.Application == application {
			states = append(states, f.State)
		}
	}
	return states
}

// watching opens a page whose connection stays open, and returns what gets it again.
func watching(t *testing.T, l *lab.Lab, family int, url string) func() {
	t.Helper()
	b := l.Browser()
	b.Family, b.Timeout = family, patience
	v, err := b.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	get := func() {
		t.Helper()
		if _, err := v.Get(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	get()
	return get
}

// Devices that can carry connections do, and where they do not count, conntrack does not
// hear of what they carry, and who has a budget is kept from them; with one device among
// them that cannot it is software.
func TestOffloadToHardware(t *testing.T) {
	long(t) // the scene has hardware in every run
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		card := fakenic.New(t, l.Gateway, "lan0", "wan0")
		card.Count(false)
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Offload.Follow = true, false })
		get := watching(t, l, 4, "https://www.youtube.com/")
		is := func(state string) func() bool {
			return func() bool {
				get()
				all := d.stateOf(t, "YOUTUBE")
				return len(all) == 1 && all[0] == state
			}
		}
		eventually(t, "hardware carries it", is(api.FlowHardware))
		c := *d.config.Load()
		carries(t, l, card, get, c.Offload.Counts)
		if s := d.Status().Offload; s.State != "hardware" || len(s.Devices) != 2 || !s.Devices[0].Hardware {
			t.Errorf("%+v", s)
		}
		c.Plans = []plan.Spec{{Name: "all", For: []string{"hosts"}, Volume: "1GB", Period: "none"}}
		reload := func() {
			t.Helper()
			if err := d.Reload(c); err != nil {
				t.Fatal(err)
			}
		}
		reload()
		eventually(t, "who has a budget is kept from hardware that does not count", is(api.FlowSlow))
		rests(t, card, get)
		card.Count(true)
		c.Offload.Counts = true
		reload()
		eventually(t, "hardware that counts carries who has a budget", is(api.FlowHardware))
		carries(t, l, card, get, c.Offload.Counts)
		run(t, l.Gateway, "ip", "link", "add", "lan9", "type", "veth", "peer", "name", "lan8")
		eventually(t, "one device cannot, so it is software", is(api.FlowSoftware))
		rests(t, card, get)
	})
}

// carries checks that a card forwards what get gets, and that conntrack hears of it if the
// card counts.
func carries(t *testing.T, l *lab.Lab, card *fakenic.Card, get func(), counts bool) {
	t.Helper()
	entry := func() (found conntrack.Flow) {
		c, err := conntrack.Dial(l.Gateway.FD())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Dump(func(f *conntrack.Flow) {
			if f.Orig.DstPort == 443 && f.InHardware() {
				found = *f
			}
		}); err != nil {
			t.Fatal(err)
		}
		return found
	}
	const often = 20
	var forwarded, packets, heard uint64
	eventually(t, "it stays where it is while the card carries it", func() bool {
		before, was := card.State(), entry()
		for range often {
			get()
		}
		then := card.State()
		// The kernel asks for both directions of what it has seen nothing of for 3 s, each second.
		eventually(t, "the card is asked for its figures", func() bool { return card.State().Asked >= then.Asked+4 })
		after, now := card.State(), entry()
		forwarded, packets = after.Bytes-before.Bytes, after.Packets-before.Packets
		heard = now.Counters[0].Bytes + now.Counters[1].Bytes - was.Counters[0].Bytes - was.Counters[1].Bytes
		return was.ID != 0 && was.ID == now.ID && before.Accepted == after.Accepted && before.Destroyed == after.Destroyed
	})
	t.Logf("the card forwarded %d packets with %d bytes, of which conntrack has %d", packets, forwarded, heard)
	if packets < 2*often {
		t.Errorf("of %d requests the card forwarded %d packets", often, packets)
	}
	if counts && heard < forwarded || !counts && heard > forwarded/10 {
		t.Errorf("a card that counts (%v) forwarded %d bytes, conntrack has %d", counts, forwarded, heard)
	}
}

// rests checks that a card forwards nothing of what get gets.
func rests(t *testing.T, card *fakenic.Card, get func()) {
	t.Helper()
	before := card.State().Packets
	for range 10 {
		get()
	}
	if n := card.State().Packets - before; n > 0 {
		t.Errorf("the card forwarded %d packets", n)
	}
}

// Behind a bridge and in a VLAN the devices below are found; and who has come to another
// port of the bridge is found there.
//
//	client eth0 ---- lan0 [br0] gateway wan0 ---- internet
//	       eth1 ---- lan1 [br0]
//	client eth0.7 ---- lan0.7 gateway
func TestOffloadBelow(t *testing.T) {
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		address := lab.GatewayLAN4.String() + "/24"
		ip := func(ns *lab.Namespace, args ...string) { t.Helper(); run(t, ns, "ip", args...) }
		ip(l.Gateway, "link", "add", "br0", "type", "bridge")
		ip(l.Gateway, "link", "set", "br0", "up")
		ip(l.Gateway, "address", "del", address, "dev", "lan0")
		ip(l.Gateway, "link", "set", "lan0", "master", "br0")
		ip(l.Gateway, "address", "add", address, "dev", "br0")
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Offload.Follow = true, false })
		if s := d.Status().Offload; s.State != "software" || len(s.Devices) != 2 {
			t.Fatalf("%+v", s)
		}
		get := watching(t, l, 4, "https://www.youtube.com/")
		fast := func(application string) func() bool {
			return func() bool {
				get()
				all := d.stateOf(t, application)
				return len(all) == 1 && all[0] == api.FlowSoftware
			}
		}
		eventually(t, "a bridge's port is in the flowtable", fast("YOUTUBE"))
		slow := func() string {
			return run(t, l.Gateway, "nft", "list", "counter", "inet", "seen", "n")
		}
		run(t, l.Gateway, "nft", "add table inet seen; add counter inet seen n; add chain inet seen f { type filter hook forward priority 0; }; add rule inet seen f tcp dport 443 counter name n; add rule inet seen f tcp sport 443 counter name n")
		beside := func() {
			t.Helper()
			for was, end := slow(), 0; ; was = slow() {
				if get(); was == slow() {
					break
				}
				if end++; end > 100 {
					t.Fatalf("packets pass by the rules: %s", was)
				}
			}
		}
		beside()

		roams(t, l, d, get)

		// The same client, by a VLAN.
		ip(l.Gateway, "address", "del", address, "dev", "br0")
		ip(l.Gateway, "link", "set", "lan0", "nomaster")
		for dev, ns := range map[string]*lab.Namespace{"lan0": l.Gateway, "eth0": l.Client} {
			ip(ns, "link", "add", "link", dev, "name", dev+".7", "type", "vlan", "id", "7")
			ip(ns, "link", "set", dev+".7", "up")
		}
		ip(l.Client, "address", "del", lab.Client4.String()+"/24", "dev", "eth0")
		ip(l.Client, "address", "add", lab.Client4.String()+"/24", "dev", "eth0.7")
		ip(l.Client, "route", "replace", "default", "via", lab.GatewayLAN4.String())
		ip(l.Gateway, "address", "add", address, "dev", "lan0.7")
		get = watching(t, l, 4, "https://www.netflix.com/")
		eventually(t, "a VLAN's device is in the flowtable", fast("NETFLIX"))
		beside()
	})
}

// roams has a client come to another port of br0, and back: what its connection gets goes
// there, and is in the flowtable.
func roams(t *testing.T, l *lab.Lab, d *running, get func()) {
	t.Helper()
	ip := func(ns *lab.Namespace, args ...string) { t.Helper(); run(t, ns, "ip", args...) }
	ip(l.Gateway, "link", "add", "lan1", "type", "veth", "peer", "name", "eth1", "address", lab.ClientMAC, "netns", l.Client.Path())
	ip(l.Gateway, "link", "set", "lan1", "master", "br0", "up")
	eventually(t, "the other port is in the flowtable", func() bool { return len(d.Status().Offload.Devices) == 3 })
	own, from := lab.Client4.String()+"/24", "eth0"
	for _, to := range []string{"eth1", "eth0"} {
		ip(l.Client, "address", "del", own, "dev", from)
		ip(l.Client, "link", "set", from, "down")
		ip(l.Client, "link", "set", to, "up")
		ip(l.Client, "address", "add", own, "dev", to)
		ip(l.Client, "route", "replace", "default", "via", lab.GatewayLAN4.String(), "dev", to)
		begin := time.Now()
		get()
		t.Logf("answered by %s after %v", to, time.Since(begin))
		eventually(t, "the port of "+to+" is in the flowtable", func() bool {
			get()
			all := d.stateOf(t, "YOUTUBE")
			return len(all) == 1 && all[0] == api.FlowSoftware
		})
		from = to
	}
	ip(l.Client, "link", "del", "eth1")
	eventually(t, "the other port is gone", func() bool { return len(d.Status().Offload.Devices) == 2 })
}
