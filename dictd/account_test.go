// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/ledger"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
	"nftdict/nftext/rule"
)

// The ledger against the counters of devices:
//
//	client eth0 ---- lan0 gateway (dictd, translates) wan0 ---- internet

// ownPort is where the gateway itself connects to.
const ownPort = 7778

// translate has the gateway masquerade, and send what is for elsewhere to a site.
func translate(tb testing.TB, l *lab.Lab, elsewhere4, elsewhere6 netip.Addr, site lab.Site) {
	run(tb, l.Gateway, "nft", fmt.Sprintf("add table inet nat; add chain inet nat post { type nat hook postrouting priority 100; };"+
		"add rule inet nat post oifname wan0 masquerade; add chain inet nat pre { type nat hook prerouting priority -100; };"+
		"add rule inet nat pre ip daddr %s dnat ip to %s; add rule inet nat pre ip6 daddr %s dnat ip6 to %s;"+
		"add chain inet nat through { type filter hook forward priority 0; }; add counter inet nat invalid; add rule inet nat through ct state invalid counter name invalid",
		elsewhere4, site.Addr4, elsewhere6, site.Addr6))
}

// talker makes connections of all kinds from the client.
type talker struct {
	tb    testing.TB
	l     *lab.Lab
	addrs []netip.Addr
	port  uint16
}

// newTalker has the site answer on a port, for TCP and UDP: twice what was sent.
func newTalker(tb testing.TB, l *lab.Lab, site lab.Site, port uint16, more ...netip.Addr) *talker {
	tb.Helper()
	for _, a := range []netip.Addr{site.Addr4, site.Addr6} {
		at := netip.AddrPortFrom(a, port).String()
		listener, err := l.Internet.Listen(context.Background(), "tcp", at)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					if b, err := io.ReadAll(conn); err == nil {
						_, _ = conn.Write(append(b, b...))
					}
				}()
			}
		}()
		packets, err := l.Internet.ListenPacket(context.Background(), "udp", at)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { packets.Close() })
		go func() {
			buf := make([]byte, 4096)
			for {
				n, from, err := packets.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = packets.WriteTo(append(buf[:n:n], buf[:n]...), from)
			}
		}()
	}
	return &talker{tb, l, append([]netip.Addr{site.Addr4, site.Addr6}, more...), port}
}

// talk makes n connections, some at a time; the i-th sends about size(i) bytes.
func (k *talker) talk(n int, size func(i int) int) {
	k.tb.Helper()
	next := make(chan int)
	var workers sync.WaitGroup
	errs := make(chan error, n)
	for range 8 {
		workers.Go(func() {
			for i := range next {
				to := netip.AddrPortFrom(k.addrs[i%len(k.addrs)], k.port).String()
				var err error
				if i/len(k.addrs)%2 == 0 {
					err = k.tcp(to, size(i))
				} else {
					err = k.udp(to, size(i))
				}
				if err != nil {
					errs <- fmt.Errorf("connection %d to %s: %w", i, to, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	select {
	case err := <-errs:
		k.tb.Fatal(err)
	default:
	}
}

func (k *talker) tcp(to string, n int) error {
	conn, err := k.l.Client.Dial(context.Background(), "tcp", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(make([]byte, n)); err != nil {
		return err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	if got, err := io.Copy(io.Discard, conn); err != nil || got != int64(2*n) {
		return fmt.Errorf("%d bytes of %d: %w", got, 2*n, err)
	}
	return nil
}

// udp says a datagram again that gets no answer: one that is under way when a connection is
// taken back may be lost.
func (k *talker) udp(to string, n int) error {
	conn, err := k.l.Client.Dial(context.Background(), "udp", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	const tries = 5
	buf := make([]byte, 4096)
	for ; n > 0; n -= 600 {
		for try := 1; ; try++ {
			_ = conn.SetDeadline(time.Now().Add(patience / tries))
			if _, err = conn.Write(buf[:min(n, 600)]); err == nil {
				_, err = conn.Read(buf)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) || try == tries {
				return err
			}
		}
	}
	return nil
}

// sums returns what the ledger has of the client's addresses.
func sums(tb testing.TB, l *ledger.Ledger) (sum ledger.Use) {
	tb.Helper()
	for day, err := range l.Usage(ledger.Query{Period: ledger.Day}) {
		if err != nil {
			tb.Fatal(err)
		}
		for _, u := range day.Uses {
			if u.Address != lab.Client4 && u.Address != lab.Client6 {
				tb.Errorf("somebody else: %+v", u)
			}
			sum.In, sum.Out = sum.In.Add(u.In), sum.Out.Add(u.Out)
			sum.Connections += u.Connections
		}
	}
	return sum
}

var (
	elsewhere4 = netip.MustParseAddr("203.0.113.7")
	elsewhere6 = netip.MustParseAddr("2001:db8:7::7")
)

// The ledger has to the byte what the devices have counted, over a thousand
// connections of both families, TCP and UDP, translated in both ways, some of which
// have ended when it looks, while the gateway talks to both sides itself.
func TestLedgerEqualsDevices(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	site, _ := l.Site("example.org")
	translate(t, l, elsewhere4, elsewhere6, site)
	w := labtest.NewWire(t, l, ownPort)
	d := start(t, l.Gateway, dicttest.NewStandard(t), func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0.5, "off" })
	k := newTalker(t, l, site, 7777, elsewhere4, elsewhere6)
	out, in := w.Read()
	n := uint64(1000)
	if need.Promised("kmod") && !need.Promised("long") {
		n = 250 // an emulated machine takes half a minute for a thousand
	}
	// Entries of UDP end during the test.
	run(t, l.Gateway, "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=2", "net.netfilter.nf_conntrack_udp_timeout_stream=2", "net.netfilter.nf_conntrack_tcp_timeout_time_wait=2")
	k.talk(int(n), func(i int) int { return 1 + i*i%9000 })
	if conn, err := l.Gateway.Dial(context.Background(), "tcp", netip.AddrPortFrom(site.Addr4, ownPort).String()); err == nil {
		conn.Close() // nobody listens there
	}
	eventually(t, "connections end", func() bool { return d.account.Stats().Ended > n/4 })
	var differs [2]int64
	defer func() { t.Logf("out, in: the devices have %d bytes more", differs) }()
	eventually(t, "the ledger has what the devices have", func() bool {
		if err := d.account.Poll(); err != nil {
			t.Fatal(err)
		}
		nowOut, nowIn := w.Read()
		sum := sums(t, d.account.Ledger)
		differs = [2]int64{int64(nowOut - out - sum.Out.Bytes), int64(nowIn - in - sum.In.Bytes)}
		return differs == [2]int64{}
	})
	sum := sums(t, d.account.Ledger)
	t.Logf("%d bytes out, %d in, %d connections; %+v", sum.Out.Bytes, sum.In.Bytes, sum.Connections, d.account.Stats())
	// A port that comes back soon goes on in the entry of before.
	if sum.Connections > n || sum.Connections < n-n/100 || sum.In.Bytes < n<<20/200 {
		t.Errorf("%d connections, %d bytes in", sum.Connections, sum.In.Bytes)
	}
	if s := d.account.Stats(); s.Estimated != 0 || s.Uncounted != 0 {
		t.Errorf("stats %+v", s)
	}
	if text := run(t, l.Gateway, "nft", "list counter inet nat invalid"); !strings.Contains(text, "packets 0 ") {
		t.Errorf("packets of no connection: %s", text)
	}
}

// The row of a session tells how fast it moves, and by what kind of interface it
// came; nothing is written of one that is quiet.
func TestRatesOfSessions(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	site, _ := l.Site("example.org")
	store := dicttest.NewStandard(t)
	d := start(t, l.Gateway, store, func(c *config.Config) { c.Ledger.Period = 0.2 })
	newTalker(t, l, site, 7777)
	conn, err := l.Client.Dial(context.Background(), "udp", netip.AddrPortFrom(site.Addr4, 7777).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	row := map[string]string{"client_address": lab.Client4.String(), "server_port": "7777"}
	buf := make([]byte, 2000)
	eventually(t, "rates", func() bool {
		if _, err := conn.Write(buf[:500]); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(buf); err != nil {
			t.Fatal(err)
		}
		all := rows(t, store, row)
		if len(all) == 0 {
			return false
		}
		// 528 bytes that way, 1028 this.
		both, client, server := value(all[0], "byte_rate"), value(all[0], "client_byte_rate"), value(all[0], "server_byte_rate")
		return len(client) >= 4 && len(server) >= len(client) && len(both) >= len(server) && value(all[0], "server_packet_rate") != "0"
	})
	for _, field := range []string{"client_interface_type", "server_interface_type"} {
		if got := value(one(t, store, row), field); got != "1" {
			t.Errorf("%s is %q, want 1", field, got)
		}
	}
	quiet := map[string]string{"byte_rate": "0", "client_byte_rate": "0", "server_byte_rate": "0", "packet_rate": "0", "client_packet_rate": "0", "server_packet_rate": "0"}
	eventually(t, "it is quiet", func() bool { return len(rows(t, store, quiet)) > 0 })
	before := d.account.Stats()
	eventually(t, "more rounds", func() bool { return d.account.Stats().Rounds > before.Rounds+3 })
	if s := d.account.Stats(); s.Rates > before.Rates+3 { // the resolver's, perhaps
		t.Errorf("%d rates were written of what is quiet", s.Rates-before.Rates)
	}
}

// The rules note what a connection has counted with the first answer, and count what
// passes them from then on: all of it, so that nothing moves beside them.
func TestFlowsCount(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	site, _ := l.Site("example.org")
	newTalker(t, l, site, 7777)
	f, err := ledger.OpenFlows(ledger.FlowsConfig{Table: "dictd_flows", Priority: 249, NetNS: l.Gateway.FD(), Size: 1024, Status: rule.StatusAssured})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if all, blind, err := f.Flowtables(); err != nil || all != 0 || blind != 0 {
		t.Errorf("%d flowtables, %d blind, %v", all, blind, err)
	}
	for range 2 { // the second changes nothing
		if err := f.Install(); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := l.Client.Dial(context.Background(), "tcp", netip.AddrPortFrom(site.Addr4, 7777).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(make([]byte, 5000)); err != nil {
		t.Fatal(err)
	}
	kernel, err := conntrack.Dial(l.Gateway.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	var id uint32
	eventually(t, "all is counted", func() bool {
		var flow conntrack.Flow
		if err := kernel.Dump(func(f *conntrack.Flow) {
			if f.Orig.DstPort == 7777 {
				flow = *f
			}
		}); err != nil {
			t.Fatal(err)
		}
		known, err := f.Read()
		if err != nil {
			t.Fatal(err)
		}
		id = flow.ID
		p, ok := known[id]
		return ok && p.Slow[0] > 5000 && p.Began[0] > 0 && p.Began[1] == 0 &&
			flow.Counters[0].Bytes == p.Began[0]+p.Slow[0] && flow.Counters[1].Bytes == p.Began[1]+p.Slow[1]
	})
	known, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	if slow, err := f.Slow(id); err != nil || slow != known[id].Slow {
		t.Errorf("of one %d, %v; of all %+v", slow, err, known[id])
	}
	if slow, err := f.Slow(77); err != nil || slow != [2]uint64{} {
		t.Errorf("of none %d, %v", slow, err)
	}
	if err := f.Forget([]uint32{id, 77}); err != nil {
		t.Fatal(err)
	}
	if known, err := f.Read(); err != nil || len(known) != 0 {
		t.Errorf("known %+v, %v", known, err)
	}
	for range 2 {
		if err := f.Remove(); err != nil {
			t.Fatal(err)
		}
	}
}
