// SPDX-License-Identifier: MIT

package queue

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"

	"nftdict/dictd/internal/testns"
)

func TestFill(t *testing.T) {
	packet := func(more ...func(message) message) []byte {
		m := newMessage(msgPacket, 0, 0, 7).attr(attrPacketHdr, []byte{0, 0, 0, 42, 8, 0, 1, 0}).number(attrInDev, 7)
		for _, f := range more {
			m = f(m)
		}
		return m.whole()
	}
	with := func(typ uint16, data ...byte) func(message) message {
		return func(m message) message { return m.attr(typ, data) }
	}
	payload, mark := with(attrPayload, 0x45), with(attrMark, binary.NativeEndian.AppendUint32(nil, 5)...)
	// What ctnetlink attaches: id and zone, in network byte order.
	ct := message(nil).attr(12, []byte{0, 0, 1, 2}).attr(18, []byte{0, 9})
	mac := with(attrHwAddr, 0, 6, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0)
	for name, c := range map[string]struct {
		b       []byte
		source  Source
		want    Packet
		unknown bool
	}{
		"mark":            {packet(mark, payload), ByMark, Packet{CtID: 5, InDev: 7}, false},
		"no mark":         {packet(payload), ByMark, Packet{InDev: 7}, false},
		"hardware":        {packet(mac, payload), ByMark, Packet{InDev: 7, MAC: [6]byte{1, 2, 3, 4, 5, 6}}, false},
		"conntrack":       {packet(mark, with(attrCt|unix.NLA_F_NESTED, ct...), payload), ByConntrack, Packet{CtID: 0x102, Zone: 9, ZoneKnown: true, InDev: 7}, false},
		"no conntrack":    {packet(mark, payload), ByConntrack, Packet{}, true},
		"short conntrack": {packet(with(attrCt, ct[:len(ct)-4]...), payload), ByConntrack, Packet{}, true},
		"no payload":      {packet(mark), ByMark, Packet{}, true},
		"cut off":         {packet(mark, with(attrPayload, make([]byte, 100)...))[:100], ByMark, Packet{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			m, rest, ok := next(c.b)
			if !ok || len(rest) > 0 || m.typ != msgPacket || m.num != 7 {
				t.Fatalf("the message is %+v, %d bytes after it", m, len(rest))
			}
			p := Packet{First: true, Zone: 77}
			id, numbered, whose := p.fill(m.attrs, c.source)
			if id != 42 || !numbered || whose == c.unknown {
				t.Fatalf("packet %d, %v; whose %v", id, numbered, whose)
			}
			c.want.First, p.Payload = true, nil
			if whose && !reflect.DeepEqual(p, c.want) {
				t.Errorf("got %+v, want %+v", p, c.want)
			}
		})
	}
}

// Whatever comes is read to its end, or given up.
func FuzzMessage(f *testing.F) {
	f.Add(newMessage(msgPacket, 0, 0, 7).attr(attrPacketHdr, []byte{0, 0, 0, 42, 8, 0, 1, 0}).attr(attrPayload, []byte{1}).whole())
	f.Fuzz(func(t *testing.T, b []byte) {
		for b != nil {
			m, rest, ok := next(b)
			if !ok {
				return
			}
			if len(rest) >= len(b) {
				t.Fatal("a message of no length")
			}
			for _, s := range []Source{ByMark, ByConntrack} {
				var p Packet
				p.fill(m.attrs, s)
			}
			b = rest
		}
	})
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
		case 7:
			return Drop
		}
		return Accept
	}})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, r)

	to, from := ends(t, ns)
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
	if err := r.sock.send(bytes.Clone(r.verdicts[Accept])); err != nil {
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
	for _, b := range []byte{10, 11} { // the first is dropped
		if _, err := from.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, 10)
	if _, _, err := to.ReadFrom(got); err != nil || got[0] != 11 {
		t.Fatalf("what comes is packet %d: %v", got[0], err)
	}
	want := Counters{Packets: 8, Panics: 1, VerdictErrors: 1}
	if got := r.Counters(); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	stop()
}

// A fence is passed when what waited before it has been handled, all of it.
func TestFence(t *testing.T) {
	ns := testns.New(t)
	queueUDP(t, ns, 79)
	next := make(chan struct{})
	var seen atomic.Int32
	r, err := Open(Config{Num: 79, NetNS: ns.FD(), Handle: func(*Packet) Verdict {
		<-next
		seen.Add(1)
		return Accept
	}})
	if err != nil {
		t.Fatal(err)
	}
	to, from := ends(t, ns)
	defer to.Close()
	defer from.Close()
	fence := func() uint32 {
		t.Helper()
		n, err := r.Fence()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const waiting = 3 * burst
	for range waiting {
		if _, err := from.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	first := fence()
	if _, err := from.Write([]byte{2}); err != nil { // behind it
		t.Fatal(err)
	}
	second := fence()
	stop := run(t, r)
	defer stop()
	defer close(next)
	passes := func(n uint32, after int32) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); !r.Passed(n); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the fence is not passed")
			}
		}
		if n := seen.Load(); n != after {
			t.Errorf("it is passed after %d packets, want %d", n, after)
		}
	}
	for range waiting {
		if r.Passed(first) {
			t.Fatalf("the fence is passed after %d packets of %d", seen.Load(), waiting)
		}
		next <- struct{}{}
	}
	passes(first, waiting)
	if r.Passed(second) {
		t.Error("the second fence is passed with the first")
	}
	next <- struct{}{}
	passes(second, waiting+1)
	passes(fence(), waiting+1)
	if n := r.Counters().VerdictErrors; n > 0 {
		t.Errorf("%d verdicts were refused", n)
	}
}

// run has a Reader run until stop is called.
func run(t *testing.T, r *Reader) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
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
	if _, err := Probe(c.Num, c.NetNS); !errors.Is(err, unix.EPERM) {
		t.Errorf("probing the queue of another: %v", err)
	}
}

// What the probe says is what binding finds out, and it leaves the queue alone.
func TestProbe(t *testing.T) {
	ns := testns.New(t)
	const num = 81
	want := ByConntrack
	r, err := Open(Config{Num: num, NetNS: ns.FD(), Source: ByConntrack, Handle: func(*Packet) Verdict { return Accept }})
	switch {
	case err == nil:
		err = r.Close()
	case errors.Is(err, unix.EOPNOTSUPP):
		want, err = ByMark, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := Probe(num, ns.FD()); err != nil || got != want {
			t.Errorf("source %s, want %s (%v)", got, want, err)
		}
	}
	if table := ns.Run(t, "cat", "/proc/thread-self/net/netfilter/nfnetlink_queue"); table != "" {
		t.Errorf("queues are left: %s", table)
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
		stop := run(t, r)
		select {
		case <-handled:
		case <-time.After(5 * time.Second):
			t.Errorf("time %d: no packet comes", i)
		}
		stop()
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
		stop := run(t, r)
		to, from := ends(t, ns)
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
		stop()
		if err := errors.Join(from.Close(), to.Close()); err != nil {
			t.Error(err)
		}
	}
}

// ends returns two that have UDP between them: who listens, and who sends to him.
func ends(t *testing.T, ns *testns.NS) (to net.PacketConn, from net.Conn) {
	t.Helper()
	ns.Do(t, func() (err error) {
		if to, err = net.ListenPacket("udp", "127.0.0.1:9999"); err != nil {
			return err
		}
		from, err = net.Dial("udp", "127.0.0.1:9999")
		return err
	})
	return to, from
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
