// SPDX-License-Identifier: MIT

package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dictd/conntrack"
	"nftdict/dictd/internal/testns"
)

func TestFill(t *testing.T) {
	payload, mark, dev := []byte{0x45}, uint32(0x01020304), uint32(7)
	// What ctnetlink attaches: id and zone, in network byte order.
	ct, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: 12, Data: []byte{0, 0, 1, 2}}, {Type: 18, Data: []byte{0, 9}},
	})
	if err != nil {
		t.Fatal(err)
	}
	short := ct[:len(ct)-3]
	wire := binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, 5))
	for name, c := range map[string]struct {
		a      nfqueue.Attribute
		source Source
		want   Packet
		ok     bool
	}{
		"mark":            {nfqueue.Attribute{Payload: &payload, Mark: &wire, InDev: &dev}, ByMark, Packet{CtID: 5, InDev: 7}, true},
		"no mark":         {nfqueue.Attribute{Payload: &payload}, ByMark, Packet{}, true},
		"conntrack":       {nfqueue.Attribute{Payload: &payload, Mark: &mark, Ct: &ct}, ByConntrack, Packet{CtID: 0x102, Zone: 9, ZoneKnown: true}, true},
		"no conntrack":    {nfqueue.Attribute{Payload: &payload, Mark: &mark}, ByConntrack, Packet{}, false},
		"short conntrack": {nfqueue.Attribute{Payload: &payload, Ct: &short}, ByConntrack, Packet{}, false},
		"no payload":      {nfqueue.Attribute{Mark: &mark}, ByMark, Packet{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := Packet{First: true, Zone: 77}
			var flow conntrack.Flow
			ok := p.fill(&c.a, c.source, &flow)
			if ok != c.ok {
				t.Fatalf("fill returns %v", ok)
			}
			if !ok {
				return
			}
			if !p.First || p.CtID != c.want.CtID || p.Zone != c.want.Zone || p.ZoneKnown != c.want.ZoneKnown || p.InDev != c.want.InDev {
				t.Errorf("got %+v, want %+v", p, c.want)
			}
		})
	}
}

// queueUDP sends the UDP packets that leave a namespace to a queue.
func queueUDP(t *testing.T, ns *testns.NS, num uint16) {
	t.Helper()
	conn, err := nftables.New(nftables.WithNetNSFd(ns.FD()))
	if err != nil {
		t.Fatal(err)
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "test"})
	chain := conn.AddChain(&nftables.Chain{
		Name: "output", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter,
	})
	info := xt.Unknown(make([]byte, 8)) // struct xt_NFQ_info_v3, padded
	binary.NativeEndian.PutUint16(info, num)
	binary.NativeEndian.PutUint16(info[2:], 1)
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_UDP}},
		&expr.Target{Name: "NFQUEUE", Rev: 3, Info: &info},
	}})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
}

// Over a real queue: verdicts are given whatever Handle does.
func TestReader(t *testing.T) {
	ns := testns.New(t)
	queueUDP(t, ns, 77)
	var seen atomic.Int32
	r, err := Open(Config{Num: 77, NetNS: ns.FD(), Buffer: 1 << 20, Handle: func(p *Packet) Verdict {
		switch seen.Add(1) {
		case 1:
			panic("test")
		case 2:
			return Finish
		}
		return Accept
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()

	var to net.PacketConn
	var from net.Conn
	ns.Do(t, func() (err error) {
		if to, err = net.ListenPacket("udp", "127.0.0.1:9999"); err != nil {
			return err
		}
		from, err = net.Dial("udp", "127.0.0.1:9999")
		return err
	})
	defer to.Close()
	defer from.Close()
	for i := range 5 {
		if _, err := from.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if err := to.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := to.ReadFrom(make([]byte, 10)); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
	}
	if err := r.SetFailOpen(true); err != nil {
		t.Error(err)
	}
	// A verdict on a packet that does not wait: the kernel's refusal must not
	// end the reading.
	if err := r.answer(12345, Accept); err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(5 * time.Second); r.Counters().VerdictErrors == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if _, err := from.Write([]byte{9}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := to.ReadFrom(make([]byte, 10)); err != nil {
		t.Fatalf("after a refused verdict: %v", err)
	}
	want := Counters{Packets: 6, Panics: 1, VerdictErrors: 1}
	if got := r.Counters(); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestQueueOfAnother(t *testing.T) {
	ns := testns.New(t)
	c := Config{Num: 78, NetNS: ns.FD(), Handle: func(*Packet) Verdict { return Accept }}
	r, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if other, err := Open(c); err == nil {
		other.Close()
		t.Error("a queue was bound twice")
	} else {
		t.Log(err)
	}
}

// A queue that is bound while packets come by its rule opens, and handles them.
func TestOpenUnderTraffic(t *testing.T) {
	ns := testns.New(t)
	queueUDP(t, ns, 79)
	var from net.Conn
	ns.Do(t, func() (err error) {
		from, err = net.Dial("udp", "127.0.0.1:9999")
		return err
	})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = from.Write([]byte("x")) // refused while nobody has the queue
			}
		}
	}()
	defer func() {
		close(stop)
		<-stopped
		from.Close()
	}()
	for i := range 50 {
		handled := make(chan struct{}, 1)
		r, err := Open(Config{Num: 79, NetNS: ns.FD(), Buffer: 1 << 20, FailOpen: true, Handle: func(*Packet) Verdict {
			select {
			case handled <- struct{}{}:
			default:
			}
			return Accept
		}})
		if err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
		select {
		case <-handled:
		case <-time.After(5 * time.Second):
			t.Errorf("time %d: no packet comes", i)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What finds the queue full passes or is dropped, as asked; the kernel counts the
// dropped alone.
func TestFullQueue(t *testing.T) {
	const length, sent = 4, 50
	for _, open := range []bool{true, false} {
		ns := testns.New(t)
		queueUDP(t, ns, 80)
		gate := make(chan struct{})
		r, err := Open(Config{Num: 80, NetNS: ns.FD(), Length: length, FailOpen: open, Handle: func(*Packet) Verdict {
			<-gate
			return Accept
		}})
		if err != nil {
			t.Fatal(err)
		}
		var to net.PacketConn
		var from net.Conn
		ns.Do(t, func() (err error) {
			if to, err = net.ListenPacket("udp", "127.0.0.1:9999"); err != nil {
				return err
			}
			from, err = net.Dial("udp", "127.0.0.1:9999")
			return err
		})
		for range sent {
			_, _ = from.Write([]byte("x")) // what is dropped may be refused
		}
		want, dropped := sent-length, "0" // without a verdict
		if !open {
			want, dropped = 0, strconv.Itoa(sent-length)
		}
		if got := receive(t, to, want); got != want {
			t.Errorf("open %v: %d of %d passed a full queue, want %d", open, got, sent, want)
		}
		// Number, reader, waiting, copy mode, copy range, dropped, ...
		if f := strings.Fields(ns.Run(t, "cat", "/proc/thread-self/net/netfilter/nfnetlink_queue")); len(f) < 6 || f[2] != "4" || f[5] != dropped {
			t.Errorf("open %v: the kernel tells %q", open, f)
		}
		close(gate)
		if got := receive(t, to, length); got != length {
			t.Errorf("open %v: %d came by the queue, want %d", open, got, length)
		}
		if n := r.Counters().Packets; n != length {
			t.Errorf("open %v: %d verdicts", open, n)
		}
		if err := errors.Join(r.Close(), from.Close(), to.Close()); err != nil {
			t.Error(err)
		}
	}
}

// receive reads n packets, or as many as come within the time.
func receive(t *testing.T, from net.PacketConn, n int) (got int) {
	t.Helper()
	if err := from.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for ; got < n; got++ {
		if _, _, err := from.ReadFrom(make([]byte, 10)); err != nil {
			return got
		}
	}
	return got
}
