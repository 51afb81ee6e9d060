// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/ledger"
	"nftdict/dictd/quota/plan"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// Connections that a flowtable carries past the rules:
//
//	client ---- lan0 gateway (dictd, flowtable over lan0 and wan0) wan0 ---- internet

// What a flowtable carries is charged once: rules and the ledger together take from
// the quota what the devices have counted, and so does one who has come after a daemon
// that ended in the middle: to the byte. It takes no connection whose row still grows: that
// takes it back, and costs the count of packets under way where its entry is replaced.
func TestOffloadedIsCharged(t *testing.T) {
	offloadingOn(t, offloaded)
}

// offloading returns a lab whose gateway has a flowtable and puts all established
// connections into it.
func offloading(t *testing.T) *lab.Lab {
	l := labtest.New(t, lab.Config{})
	need.Feature(t, "flowtable", func() error {
		return l.Gateway.Command(context.Background(), "nft", "add table inet fast; add flowtable inet fast f { hook ingress priority 0; devices = { lan0, wan0 }; counter; };"+
			"add chain inet fast forward { type filter hook forward priority 0; }; add rule inet fast forward meta l4proto { tcp, udp } ct state established flow add @f").Run()
	})
	return l
}

// onlyLong has the flowtable take connections that have moved a little.
func onlyLong(t *testing.T, l *lab.Lab) {
	t.Helper()
	run(t, l.Gateway, "nft", "flush chain inet fast forward; add rule inet fast forward meta l4proto { tcp, udp } ct state established ct original packets > 30 flow add @f")
}

// offloadingOn runs a test on each backend that may compile rules, in a lab of its own.
func offloadingOn(t *testing.T, f func(*testing.T, *lab.Lab, *backend.Backend)) {
	for name, open := range map[string]func(testing.TB, *lab.Namespace) *backend.Backend{"ebpf": openEBPF, "kmod": openKmod} {
		t.Run(name, func(t *testing.T) {
			l := offloading(t)
			f(t, l, open(t, l.Gateway))
		})
	}
}

// connectTo has the lab's client connect to a port until the test ends.
func connectTo(t *testing.T, l *lab.Lab, to netip.Addr, port uint16) net.Conn {
	t.Helper()
	conn, err := l.Client.Dial(t.Context(), "tcp", netip.AddrPortFrom(to, port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// entryOf returns what conntrack says of a connection, which it has, but for the moment in
// which a recall replaces the entry.
func entryOf(t *testing.T, d *running, conn net.Conn) (f conntrack.Flow) {
	t.Helper()
	eventually(t, "conntrack has the connection", func() (found bool) {
		var err error
		if f, err = lookUp(d, conn); err != nil && !errors.Is(err, conntrack.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	})
	return f
}

func lookUp(d *running, conn net.Conn) (conntrack.Flow, error) {
	from, to := conn.LocalAddr().(*net.TCPAddr).AddrPort(), conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	return d.recall.kernel.Lookup(conntrack.NewTuple(unix.IPPROTO_TCP, from, to), 0)
}

func offloaded(t *testing.T, l *lab.Lab, on *backend.Backend) {
	const size = 1_000_000_000
	site, _ := l.Site("example.org")
	w := labtest.NewWire(t, l, ownPort)
	state := t.TempDir()
	begin := func() *running {
		return startOn(t, l.Gateway, on, func(c *config.Config) {
			c.State, c.Ledger.Period, c.Reverse.Names = state, 0.5, "off"
			c.Plans = []plan.Spec{{Name: "all", For: []string{"hosts"}, Volume: "1GB", Period: "none"}}
		})
	}
	onlyLong(t, l)
	d := begin()
	left := func(addr netip.Addr) int64 {
		row, err := on.Store.Get(dict.Hosts, dict.AddrKey(addr))
		if err != nil {
			return 0
		}
		v, _ := row.Get("quota_remaining")
		return v.Int64()
	}
	k := newTalker(t, l, site, 7777)
	eventually(t, "the client is known", func() bool {
		k.talk(8, func(int) int { return 10 })
		return left(lab.Client4) > 0 && left(lab.Client6) > 0
	})
	// What moved before there was a budget is nobody's; what is booked of it takes a
	// moment.
	rounds := d.account.Stats().Rounds
	for was, since := int64(0), time.Now(); time.Since(since) < 4*time.Second || d.account.Stats().Rounds < rounds+4; time.Sleep(100 * time.Millisecond) {
		if now := left(lab.Client4) + left(lab.Client6); now != was {
			was, since, rounds = now, time.Now(), d.account.Stats().Rounds
		}
	}
	out, in := w.Read()
	spent := size - left(lab.Client4) + size - left(lab.Client6)
	beside := d.account.Stats().Offloaded

	k.talk(40, func(i int) int { return 3000 * i })
	conn, err := l.Client.Dial(context.Background(), "tcp", netip.AddrPortFrom(site.Addr6, 7777).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a connection is in the flowtable", func() bool {
		n := 0
		if err := d.account.kernel.Dump(func(f *conntrack.Flow) {
			if f.Offloaded() {
				n++
			}
		}); err != nil {
			t.Fatal(err)
		}
		return n > 0
	})
	check := func(d *running) {
		t.Helper()
		var gotten, wanted int64
		defer func() {
			t.Logf("%d bytes of %d are charged; beside the rules %+v", gotten, wanted, d.account.Stats().Offloaded)
		}()
		eventually(t, "the quotas have what the devices have", func() bool {
			nowOut, nowIn := w.Read()
			wanted = int64(nowOut - out + nowIn - in)
			gotten = size - left(lab.Client4) + size - left(lab.Client6) - spent
			return gotten == wanted
		})
	}
	check(d)
	if s := d.account.Stats().Offloaded; s.Original-beside.Original < 1<<20 {
		t.Errorf("beside the rules moved %+v, before %+v", s, beside)
	}
	d.stop()
	if _, err := conn.Write(make([]byte, 1<<20)); err != nil { // while nobody looks
		t.Fatal(err)
	}
	since, moved := time.Now(), uint64(0)
	eventually(t, "all has arrived", func() bool { // who comes takes back what others' flowtables carry
		if nowOut, nowIn := w.Read(); nowOut+nowIn != moved {
			since, moved = time.Now(), nowOut+nowIn
		}
		return time.Since(since) > time.Second
	})
	d = begin()
	check(d)
	conn.Close() // without an end that the server answers
	d.stop()
	f, err := ledger.OpenFlows(flowsConfig("dictd", 250, l.Gateway.FD()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Remove(); err != nil {
		t.Error(err)
	}
}
