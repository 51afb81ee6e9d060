// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/cputime"
	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// Many connections in dictd's flowtable, of many hosts and users:
//
//	client (hosts of 10.77/16, one connection each, and of 10.78/16) ---- gateway (dictd) ---- site

// crowdFlows are the connections, of which the first crowdRecalls are taken back.
const (
	crowdFlows   = 10_000
	crowdRecalls = 6000
	crowdPort    = 7777
	crowdOwn     = 5000 // the first port of the hosts
)

// crowdBy returns by what a connection is taken back: by its id, and one in so many by its
// host or by its user.
func crowdBy(i int) offload.WhomKind {
	switch i % 60 {
	case 20:
		return offload.OfHost
	case 40:
		return offload.OfUser
	}
	return offload.OfCt
}

// TestRecallCrowd: out of 10,000 connections in the flowtable 6,000 are taken back one by one,
// a hundred a second at most, by ids, hosts and users, where entries are made anew for it: these
// have their rows under their new ids, no other has moved, and nothing is left of any of it
// when they end.
func TestRecallCrowd(t *testing.T) {
	long(t)
	need.Root(t)
	makeRoom(t, "16384")
	offloadedOn(t, backend.EBPF, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		c := newRecallCrowd(t, l, on)
		goroutines, bytes := runtime.NumGoroutine(), heap()
		c.gather()
		c.settle()
		c.recall()
		c.check()
		c.end()
		var left, held int
		long := time.Now().Add(crowdPatience)
		for left, held = runtime.NumGoroutine(), int(heap()); (left > goroutines || held > int(bytes)+crowdSpare) && time.Now().Before(long); left, held = runtime.NumGoroutine(), int(heap()) {
			time.Sleep(time.Second)
		}
		t.Logf("%d goroutines before, %d after; %d KiB before, %d after", goroutines, left, bytes>>10, held>>10)
		if left > goroutines || held > int(bytes)+crowdSpare {
			t.Error("something is left")
		}
	})
}

const (
	// crowdPatience is how long a step of so many may take in an emulated machine.
	crowdPatience = 5 * time.Minute
	// crowdSpare is what a heap may grow by that has had so many: half a KiB for each.
	crowdSpare = 5 << 20
)

// makeRoom has the kernel, and dictionaries that are made from now on, take so many connections.
func makeRoom(t *testing.T, limit string) {
	t.Helper()
	const path = "/proc/sys/net/netfilter/nf_conntrack_max"
	was, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(limit), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(path, was, 0) })
}

// recallCrowd is who has the connections.
type recallCrowd struct {
	*testing.T
	l       *lab.Lab
	d       *running
	store   dict.Store
	sockets []*net.UDPConn
	to      netip.AddrPort
	was     map[netip.AddrPort]conntrack.Flow // before any was taken back
}

// newRecallCrowd starts dictd, has hosts and users known to it, and lets nothing end by itself.
func newRecallCrowd(t *testing.T, l *lab.Lab, on *backend.Backend) *recallCrowd {
	t.Helper()
	site, _ := l.Site("example.org")
	c := &recallCrowd{T: t, l: l, store: on.Store, to: netip.AddrPortFrom(site.Addr4, crowdPort)}
	for name, seconds := range map[string]string{"nf_flowtable_udp_timeout": "3600", "nf_conntrack_udp_timeout": "7200", "nf_conntrack_udp_timeout_stream": "7200"} {
		if err := l.Gateway.Sysctl("net.netfilter."+name, seconds); err != nil {
			t.Fatal(err)
		}
	}
	c.d = startOn(t, l.Gateway, on, func(c *config.Config) {
		c.Ledger.Period, c.Reverse.Names = 0, config.ReverseOff
		c.Offload.Enable, c.Offload.Follow = true, false
		c.Sessions.Packets = 16 // where one is lost the others do
	})
	newTalker(t, l, site, crowdPort)
	var client, gateway strings.Builder
	hosts := make(map[netip.Addr]struct{})
	for net := range 2 {
		fmt.Fprintf(&client, "route add local 10.%d.0.0/16 dev lo\n", 77+net)
		fmt.Fprintf(&gateway, "route add 10.%d.0.0/16 dev lan0\n", 77+net)
	}
	for i := range crowdFlows {
		a := c.from(i).Addr()
		if _, ok := hosts[a]; !ok {
			device := deviceOf(a)
			fmt.Fprintf(&gateway, "neigh replace %s lladdr %s dev lan0 nud permanent\n", a, net.HardwareAddr(device[:]))
		}
		hosts[a] = struct{}{}
	}
	for ns, text := range map[*lab.Namespace]string{l.Client: client.String(), l.Gateway: gateway.String()} {
		cmd := ns.Command(context.Background(), "ip", "-batch", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ip: %v\n%s", err, out)
		}
	}
	c.until("the hosts are known", func() bool { return c.d.who.Stats().Hosts >= len(hosts) })
	for i := range crowdRecalls {
		if crowdBy(i) == offload.OfUser {
			if err := c.d.who.Bind(deviceOf(c.from(i).Addr()), crowdUser(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Client.Do(func() error {
		for port := uint16(crowdOwn); port <= c.from(crowdFlows-1).Port(); port++ {
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: int(port)})
			if err != nil {
				return err
			}
			t.Cleanup(func() { conn.Close() })
			c.sockets = append(c.sockets, conn)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

// from returns where a connection comes from: those that are taken back by host or user from a
// host of their own, the others from a hundred hosts.
func (c *recallCrowd) from(i int) netip.AddrPort {
	if i < crowdRecalls && crowdBy(i) != offload.OfCt {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 77, byte(i >> 8), byte(i)}), crowdOwn)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 78, 0, byte(1 + i%100)}), uint16(crowdOwn+1+i/100))
}

// deviceOf returns the link-layer address of a host.
func deviceOf(a netip.Addr) [6]byte {
	b := a.As4()
	return [6]byte{2, 0, 0, b[1], b[2], b[3]}
}

func crowdUser(i int) string { return fmt.Sprintf("user-%d", i) }

// whom names a connection, and no other.
func (c *recallCrowd) whom(i int) offload.Whom {
	switch by := crowdBy(i); by {
	case offload.OfHost:
		return offload.Whom{Kind: by, Name: c.from(i).Addr().String()}
	case offload.OfUser:
		return offload.Whom{Kind: by, Name: crowdUser(i)}
	}
	return offload.Ct(c.was[c.from(i)].ID)
}

// crowdPacket is a question of STUN.
var crowdPacket = [20]byte{1: 1, 4: 0x21, 5: 0x12, 6: 0xa4, 7: 0x42}

// send has a packet of a connection sent, which is answered.
func (c *recallCrowd) send(i int) {
	c.Helper()
	from := c.from(i)
	info := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.Addr().As4()})
	if _, _, err := c.sockets[from.Port()-crowdOwn].WriteMsgUDPAddrPort(crowdPacket[:], info, c.to); err != nil {
		c.Fatal(err)
	}
}

// until waits for what takes its time.
func (c *recallCrowd) until(what string, f func() bool) {
	c.Helper()
	for begin := time.Now(); !f(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > crowdPatience {
			c.Fatalf("in vain: %s", what)
		}
	}
}

// entries returns conntrack's, by where they come from.
func (c *recallCrowd) entries() map[netip.AddrPort]conntrack.Flow {
	c.Helper()
	all := make(map[netip.AddrPort]conntrack.Flow, crowdFlows)
	kernel, err := conntrack.Dial(c.l.Gateway.FD())
	if err != nil {
		c.Fatal(err)
	}
	defer kernel.Close()
	if err := kernel.Dump(func(f *conntrack.Flow) {
		if f.Orig.DstPort == crowdPort {
			all[netip.AddrPortFrom(f.Orig.Src(), f.Orig.SrcPort)] = *f
		}
	}); err != nil {
		c.Fatal(err)
	}
	return all
}

// gather has all connections in the flowtable.
func (c *recallCrowd) gather() {
	c.Helper()
	begin := time.Now()
	c.until("all are in the flowtable", func() bool {
		all, sent := c.entries(), 0
		for i := range crowdFlows {
			if f := all[c.from(i)]; !f.Offloaded() {
				c.send(i)
				if sent++; sent%100 == 0 { // not faster than they are looked at
					time.Sleep(20 * time.Millisecond)
				}
			}
		}
		c.was = all
		return sent == 0
	})
	c.Logf("%d connections are in the flowtable after %v", crowdFlows, time.Since(begin))
}

// settle waits until all stay there: what is found out of hosts takes theirs back.
func (c *recallCrowd) settle() {
	c.Helper()
	since := time.Now()
	c.until("they stay there", func() bool {
		for from, f := range c.entries() {
			if !f.Offloaded() || f.ID != c.was[from].ID {
				c.gather()
				since = time.Now()
				break
			}
		}
		return time.Since(since) > 10*rowsEvery
	})
}

// recall takes the first crowdRecalls back. Every other has a packet then, which passes by the
// rules and puts it into the flowtable again.
func (c *recallCrowd) recall() {
	c.Helper()
	var all [offload.All]struct {
		n         int64
		sum, most time.Duration
	}
	begin, used := time.Now(), cputime.Used(c.T)
	for i := range crowdRecalls {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * 10 * time.Millisecond)))
		start := time.Now()
		if n, err := c.d.Recall(c.whom(i)); n != 1 || err != nil {
			c.Fatalf("connection %d, %v: %d are taken back: %v", i, c.whom(i), n, err)
		}
		took, by := time.Since(start), &all[crowdBy(i)]
		by.n, by.sum, by.most = by.n+1, by.sum+took, max(by.most, took)
		if i%2 == 0 {
			c.send(i)
		}
	}
	took := time.Since(begin)
	c.Logf("%d of %d are taken back in %v, %.1f a second, the processor takes %v for each", crowdRecalls, crowdFlows, took, crowdRecalls/took.Seconds(), (cputime.Used(c.T)-used)/crowdRecalls)
	for kind, by := range all {
		if by.n > 0 {
			c.Logf("%d by %v: %v each, the slowest %v", by.n, offload.WhomKind(kind), by.sum/time.Duration(by.n), by.most)
		}
	}
}

// check looks where all are: each has the row that is its own.
func (c *recallCrowd) check() {
	c.Helper()
	var now map[netip.AddrPort]conntrack.Flow
	c.until("those that go on are back", func() bool {
		now = c.entries()
		for i := 0; i < crowdRecalls; i += 2 {
			if f := now[c.from(i)]; !f.Offloaded() {
				return false
			}
		}
		return true
	})
	if len(now) != crowdFlows {
		c.Errorf("%d connections, want %d", len(now), crowdFlows)
	}
	for i := range crowdFlows {
		from := c.from(i)
		f, was := now[from], c.was[from]
		if recalled := i < crowdRecalls; recalled == (f.ID == was.ID) || f.Offloaded() != (!recalled || i%2 == 0) || f.Reply != was.Reply {
			c.Errorf("connection %d, taken back %v: it is %+v, was %+v", i, recalled, f, was)
			continue
		}
		row, err := c.store.Get(dict.Sessions, dict.CtID(f.ID))
		if err != nil {
			c.Errorf("connection %d: %v", i, err)
			continue
		}
		if got, want := value(row, "client_address")+" "+value(row, "client_port"), fmt.Sprint(from.Addr(), " ", from.Port()); got != want || value(row, "final") != "true" {
			c.Errorf("connection %d, from %s, has the row %v", i, want, row)
		}
	}
	if n := len(rows(c.T, c.store, map[string]string{"server_port": fmt.Sprint(crowdPort)})); n != crowdFlows {
		c.Errorf("%d rows, want %d", n, crowdFlows)
	}
	if s := c.d.table.Stats(); s.Sessions != crowdFlows {
		c.Errorf("%+v", s)
	}
}

// end ends all connections, of which nothing is left then.
func (c *recallCrowd) end() {
	c.Helper()
	for _, conn := range c.sockets {
		conn.Close()
	}
	c.until("no connection, no row and no session is left", func() bool {
		run(c.T, c.l.Gateway, "conntrack", "-F")
		// Conntrack counts what somebody still holds.
		count := strings.TrimSpace(run(c.T, c.l.Gateway, "cat", "/proc/sys/net/netfilter/nf_conntrack_count"))
		return count == "0" && c.d.table.Len() == 0 && len(rows(c.T, c.store, nil)) == 0
	})
	c.was = nil
}
