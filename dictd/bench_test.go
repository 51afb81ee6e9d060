// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"golang.org/x/sys/unix"

	"nftdict/classifier"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/portal/child"
	"nftdict/dictd/queue"
	"nftdict/dictd/rules"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// The ratio of the pipeline to a loop that only accepts, over real queues:
//
//	client (generator, a process of its own) ---- gateway (this process) ---- internet (sink)

const (
	packetsPerFlow  = 8
	flowsPerRound   = 1600
	flowsAtOnce     = 16
	roundsPerMetric = 3
	envGenerator    = "DICTD_TEST_GENERATOR" // destination of the generator process
)

func TestMain(m *testing.M) {
	if child.Is() {
		os.Exit(child.Main())
	}
	if to := os.Getenv(envGenerator); to != "" {
		if err := generate(to); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// generate sends flows of one DNS query and datagrams of no protocol each, some
// flows side by side, and waits for them at the sink, a socket that it inherits.
func generate(to string) error {
	sink, err := net.FilePacketConn(os.NewFile(3, "sink"))
	if err != nil {
		return err
	}
	noise := make([]byte, 600)
	for i := range noise {
		noise[i] = byte(i*7) | 0x80
	}
	buf := make([]byte, 2048)
	receive := func(n int) error {
		for range n {
			if err := sink.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				return err
			}
			if _, _, err := sink.ReadFrom(buf); err != nil {
				return err
			}
		}
		return nil
	}
	for i := 0; i < flowsPerRound; i += flowsAtOnce {
		var conns []net.Conn
		for range flowsAtOnce {
			conn, err := net.Dial("udp", to)
			if err != nil {
				return err
			}
			defer conn.Close()
			conns = append(conns, conn)
			if _, err := conn.Write(dnsQuery(uint16(i), "www", "example", "org")); err != nil {
				return err
			}
		}
		// They are confirmed before more is sent.
		if err := receive(flowsAtOnce); err != nil {
			return err
		}
		for range packetsPerFlow - 1 {
			for _, conn := range conns {
				if _, err := conn.Write(noise); err != nil {
					return err
				}
			}
		}
		if err := receive(flowsAtOnce * (packetsPerFlow - 1)); err != nil {
			return err
		}
	}
	return nil
}

// bench is the lab with a sink on the internet.
type bench struct {
	*lab.Lab
	b    testing.TB
	to   netip.Addr
	port int
}

func newBench(b testing.TB) *bench {
	l := labtest.New(b, lab.Config{})
	site, ok := l.Site("example.org")
	if !ok {
		b.Fatal("the lab has no site")
	}
	return &bench{Lab: l, b: b, to: site.Addr4, port: 20000}
}

// round sends one round of traffic, to a port of its own so that no flow is an
// old one, and returns what this process spent on it, in CPU time a packet.
func (x *bench) round() time.Duration {
	x.b.Helper()
	x.port++
	to := netip.AddrPortFrom(x.to, uint16(x.port))
	conn, err := x.Internet.ListenPacket(context.Background(), "udp", to.String())
	if err != nil {
		x.b.Fatal(err)
	}
	defer conn.Close()
	sink, err := conn.(*net.UDPConn).File()
	if err != nil {
		x.b.Fatal(err)
	}
	defer sink.Close()
	self, err := os.Executable()
	if err != nil {
		x.b.Fatal(err)
	}
	cmd := x.Client.Command(context.Background(), self)
	cmd.Env = append(cmd.Env, envGenerator+"="+to.String())
	cmd.ExtraFiles = []*os.File{sink}
	runtime.GC()
	before := cpu()
	if out, err := cmd.CombinedOutput(); err != nil {
		x.b.Fatalf("generator: %v\n%s", err, out)
	}
	return (cpu() - before) / (flowsPerRound * packetsPerFlow)
}

// cpu returns the CPU time of this process.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bare runs f while a loop accepts all packets, unseen.
func (x *bench) bare(c config.Config, f func()) {
	x.b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := range 2 * c.Queues.Count {
		nfq, err := nfqueue.Open(&nfqueue.Config{
			NetNS: x.Gateway.FD(), NfQueue: uint16(c.Queues.First + i), MaxPacketLen: 0xffff, Copymode: nfqueue.NfQnlCopyPacket,
		})
		if err != nil {
			x.b.Fatal(err)
		}
		defer nfq.Close()
		if err := nfq.Con.SetReadBuffer(c.Queues.Buffer); err != nil {
			x.b.Fatal(err)
		}
		err = nfq.RegisterWithErrorFunc(ctx, func(a nfqueue.Attribute) int {
			_ = nfq.SetVerdict(*a.PacketID, nfqueue.NfAccept)
			return 0
		}, func(error) int { return 0 })
		if err != nil {
			x.b.Fatal(err)
		}
	}
	table, err := rules.Open(rules.Options{Name: c.Rules.Table, NetNS: x.Gateway.FD()})
	if err != nil {
		x.b.Fatal(err)
	}
	defer table.Close()
	err = table.Install(rules.Config{
		Table: c.Rules.Table, Priority: int32(c.Rules.Priority), Source: queue.ByMark,
		Queues: rules.Queues{First: uint16(c.Queues.First), Count: uint16(c.Queues.Count), Fanout: true},
	}, rules.Terms{})
	if err != nil {
		x.b.Fatal(err)
	}
	f()
	if err := table.Remove(); err != nil {
		x.b.Fatal(err)
	}
}

// piped runs f while a daemon inspects.
func (x *bench) piped(c config.Config, on *backend.Backend, f func(*Daemon)) {
	x.b.Helper()
	d := startOn(x.b, x.Gateway, on, func(to *config.Config) { *to = c })
	f(d.Daemon)
	d.stop()
}

// BenchmarkRatioPipeline reports the CPU time of a queued packet as multiples of
// a bare accept loop's in the same run. Of each flow's packets one opens a
// session and tells an application, the others tell nothing. Without writes, the
// store takes rows and does nothing; with writes, they go to eBPF maps.
func BenchmarkRatioPipeline(b *testing.B) {
	x := newBench(b)
	c := config.Default()
	c.Socket, c.State = filepath.Join(b.TempDir(), "dictd.sock"), b.TempDir()
	c.Rules.FinishBit, c.Rules.Remove = 0, true // every packet is queued
	c.LogLevel = "error"
	ebpf := openEBPF(b, x.Gateway)
	null := &backend.Backend{Kind: "null", Store: nullStore{ebpf.Store}, Compiler: ebpf.Compiler}
	var bare, silent, writing time.Duration
	rounds := 0
	for b.Loop() {
		for range roundsPerMetric {
			rounds++
			x.bare(c, func() { bare += x.round() })
			x.piped(c, null, func(*Daemon) { silent += x.round() })
			x.piped(c, ebpf, func(d *Daemon) {
				writing += x.round()
				b.ReportMetric(float64(d.record.puts.Load())/(flowsPerRound*packetsPerFlow), "puts/packet")
			})
		}
	}
	n := time.Duration(rounds)
	b.ReportMetric(float64(bare/n), "ns-bare/packet")
	b.ReportMetric(float64(silent/n), "ns-silent/packet")
	b.ReportMetric(float64(writing/n), "ns-writing/packet")
	b.ReportMetric(float64(silent)/float64(bare), "ratio-without-writes")
	b.ReportMetric(float64(writing)/float64(bare), "ratio-with-writes")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkHandle is the daemon's share alone: no queue, no store.
func BenchmarkHandle(b *testing.B) {
	a, z := netip.MustParseAddrPort("10.0.0.1:1000"), netip.MustParseAddrPort("192.0.2.1:4433")
	noise := make([]byte, 600)
	binary.BigEndian.PutUint32(noise, 0xfffefdfc)
	b.Run("later packet", func(b *testing.B) {
		w := newWorker(b, nullStore{}, 10)
		w.classifier.Store(classifier.New(classifier.Options{MaxPackets: 65535, MaxBytes: 1 << 40}))
		syn := queue.Packet{CtID: 1, First: true, Payload: ipPacket(classifier.ProtoTCP, a, z, 1, classifier.FlagSYN, nil)}
		w.Handle(&syn)
		w.table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: conntrack.Flow{
			ID: 1, Orig: conntrack.NewTuple(6, a, z), Reply: conntrack.NewTuple(6, z, a),
		}})
		later := queue.Packet{CtID: 1, Payload: ipPacket(classifier.ProtoTCP, a, z, 2, classifier.FlagACK, nil)}
		b.ReportAllocs()
		for b.Loop() {
			w.Handle(&later)
		}
	})
	b.Run("new session", func(b *testing.B) {
		w := newWorker(b, nullStore{}, 1<<24)
		b.ReportAllocs()
		n := uint32(0)
		p := queue.Packet{First: true, Payload: ipPacket(classifier.ProtoUDP, a, z, 0, 0, noise)}
		for b.Loop() {
			n++
			p.CtID = n
			binary.BigEndian.PutUint32(p.Payload[12:], n) // another client
			w.Handle(&p)
		}
	})
}

// BenchmarkSessionMemory reports what a session costs the daemon with 100,000 of
// them: half have shown the hellos of TLS to the end, a quarter DNS, and a quarter
// nothing but a SYN.
func BenchmarkSessionMemory(b *testing.B) { reportMemory(b, 100_000) }

// BenchmarkMillionSessions is BenchmarkSessionMemory with as many, and reports
// what of the machine's memory the process has with them all, garbage included.
func BenchmarkMillionSessions(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(25)) // as cmd/dictd does with so many
	reportMemory(b, 1_000_000)
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	var all, resident int64
	if _, err := fmt.Sscan(string(text), &all, &resident); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(resident*int64(os.Getpagesize()))/(1<<20), "resident-MiB")
}

func reportMemory(b *testing.B, sessions uint32) {
	hello := clientHello(b, "www.netflix.com")
	for b.Loop() {
		w := newWorker(b, nullStore{}, int(sessions))
		w.classifier.Store(classifier.New(classifier.Options{Certificates: true, Hints: classifier.NewHints(classifier.HintsOptions{}), History: classifier.NewHistory(classifier.HistoryOptions{})}))
		before := heap()
		for i := range sessions {
			client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(40000+i>>16)) // 65,536 clients at most
			server := netip.MustParseAddrPort("192.0.2.1:443")
			f := conntrack.Flow{ID: i, Orig: conntrack.NewTuple(6, client, server), Reply: conntrack.NewTuple(6, server, client)}
			p := queue.Packet{CtID: i, First: true}
			if i%4 == 0 {
				f.Orig.Proto, f.Reply.Proto = 17, 17
				p.Payload = ipPacket(classifier.ProtoUDP, client, server, 0, 0, dnsQuery(1, "host"+strconv.Itoa(int(i)), "example", "org"))
			} else {
				p.Payload = ipPacket(classifier.ProtoTCP, client, server, 1, classifier.FlagSYN, nil)
			}
			w.Handle(&p)
			w.table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: f})
			if i%4 >= 2 {
				p.First = false
				p.Payload = ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, hello)
				w.Handle(&p)
				p.Payload = ipPacket(classifier.ProtoTCP, server, client, 2, classifier.FlagACK, serverHello13())
				w.Handle(&p)
			}
		}
		after := heap()
		if n := w.table.Len(); n != int(sessions) {
			b.Fatalf("%d sessions", n)
		}
		b.ReportMetric(float64(after-before)/float64(sessions), "B/session")
		b.ReportMetric(float64(after-before)/(1<<20), "live-MiB")
		runtime.KeepAlive(w)
	}
	b.ReportMetric(0, "ns/op")
}

// heap returns the bytes that live objects take.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
