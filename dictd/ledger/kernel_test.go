// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/dictd/conntrack"
	"nftdict/dictd/internal/testns"
	"nftdict/dictd/session"
)

// kernel is the real conntrack of a namespace as Kernel.
type kernel struct {
	*conntrack.Client
	events *conntrack.Listener
}

func (k kernel) Drain() error { return k.events.Drain() }

// tracked is a namespace whose loopback is tracked, with a ledger that takes its
// connections for forwarded ones.
type tracked struct {
	*Ledger
	ns     *testns.NS
	kernel kernel
	conn   *net.UDPConn // sends; nobody answers
	rates  atomic.Int64
}

func newTracked(tb testing.TB, buffer int) *tracked {
	tb.Helper()
	x := &tracked{ns: testns.New(tb)}
	x.ns.Run(tb, "nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new accept;"+
		"add chain inet t in { type filter hook input priority 0; }; add rule inet t in udp dport 9 drop") // and no ICMP
	if _, err := conntrack.Account(x.ns.FD()); err != nil {
		tb.Fatal(err)
	}
	x.ns.Sysctl(tb, "net/netfilter/nf_conntrack_udp_timeout", "600")
	client, err := conntrack.Dial(x.ns.FD())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { client.Close() })
	x.kernel.Client = client
	state, err := OpenState(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { state.Close() })
	x.Ledger, err = New(Config{
		Kernel: &x.kernel, Clock: time.Now, State: state,
		Label: func(*conntrack.Flow) Label { return Label{"APP", "category", true} },
		Local: func(netip.Addr) bool { return false },
		Who:   func(a netip.Addr) Party { return Party{Inside: a == netip.MustParseAddr("127.0.0.1")} },
		Rates: func(all []session.Rate) error { x.rates.Add(int64(len(all))); return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	x.kernel.events, err = conntrack.Listen(conntrack.Config{NetNS: x.ns.FD(), Buffer: buffer, Handle: x.Handle, Overrun: func() {}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { x.kernel.events.Close() })
	x.ns.Do(tb, func() (err error) {
		x.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		return err
	})
	tb.Cleanup(func() { x.conn.Close() })
	return x
}

// to is the i-th of the addresses that datagrams go to.
func to(i int) netip.AddrPort {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 127<<24|1<<20|uint32(i))
	return netip.AddrPortFrom(netip.AddrFrom4(b), 9)
}

// send sends a datagram on connections i to j and returns the bytes of the packets.
func (x *tracked) send(tb testing.TB, i, j, size int) (bytes uint64) {
	tb.Helper()
	payload := make([]byte, size)
	for ; i < j; i++ {
		if _, err := x.conn.WriteToUDPAddrPort(payload, to(i)); err != nil {
			tb.Fatal(err)
		}
		bytes += uint64(28 + size)
	}
	return bytes
}

func (x *tracked) look(tb testing.TB) {
	tb.Helper()
	if err := errors.Join(x.Poll(), x.Save()); err != nil {
		tb.Fatal(err)
	}
}

// Where the socket of events is far too small, connections end in masses, and their
// ids and tuples come back at once, nothing is billed twice: the ledger has no more
// than the kernel has counted, and all that a round has seen.
func TestLossAndReuse(t *testing.T) {
	x := newTracked(t, 1)
	x.look(t)
	const n = 2000
	var sent, seen uint64
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		sent += x.send(t, 0, n, 100+random.IntN(500))
		x.look(t)
		seen = sent
		sent += x.send(t, 0, n/2, 50) // and no round sees it
		x.ns.Run(t, "conntrack", "-D", "-p", "udp")
		time.Sleep(20 * time.Millisecond)
	}
	if err := x.kernel.Drain(); err != nil {
		t.Fatal(err)
	}
	// What the kernel could not tell it tells later.
	end := time.Now().Add(3 * time.Second)
	var s Stats
	for ; time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		x.look(t)
		if s = x.Stats(); s.Original.Bytes == sent && s.Connections == 0 {
			break
		}
	}
	t.Logf("%d bytes sent, %d billed; %d overruns; %+v", sent, s.Original.Bytes, x.kernel.events.Stats().Overruns, s)
	if s.Original.Bytes > sent || s.Original.Bytes < seen-uint64(n/2*78*10) {
		t.Errorf("%d bytes are billed of %d, %d of which rounds have seen", s.Original.Bytes, sent, seen)
	}
	if x.kernel.events.Stats().Overruns == 0 {
		t.Error("no events were lost")
	}
	var sum Use
	for h, err := range x.Usage(Query{Period: Hour}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range h.Uses {
			sum.add(one.Use)
		}
	}
	if sum.Out.Bytes != s.Original.Bytes {
		t.Errorf("the hours have %d bytes, the ledger %d", sum.Out.Bytes, s.Original.Bytes)
	}
}

// BenchmarkRound does rounds over 100,000 living connections of which a fifth has
// moved since the last, and reports what a round takes of a core at its period of
// four seconds, the writing to the disk and the gathering of rates included.
func BenchmarkRound(b *testing.B) {
	const n, moving, period = 100_000, 20_000, 4 * time.Second
	x := newTracked(b, 0)
	for i := 0; i < n; i += 1000 {
		x.send(b, i, i+1000, 10)
	}
	if err := x.kernel.Drain(); err != nil {
		b.Fatal(err)
	}
	x.look(b)
	x.look(b)
	var cost, most time.Duration
	for b.Loop() {
		b.StopTimer()
		x.send(b, 0, moving, 100)
		b.StartTimer()
		used, err := x.Ledger.round()
		if err != nil {
			b.Fatal(err)
		}
		cost, most = cost+used, max(most, used)
	}
	s := x.Stats()
	if s.Connections < n {
		b.Fatalf("%d connections", s.Connections)
	}
	b.ReportMetric(100*cost.Seconds()/float64(b.N)/period.Seconds(), "%core")
	b.ReportMetric(float64(cost.Milliseconds())/float64(b.N), "cpu-ms/round")
	b.ReportMetric(float64(most.Milliseconds()), "cpu-ms/longest")
}
