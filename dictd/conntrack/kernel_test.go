// SPDX-License-Identifier: MIT

package conntrack

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/dictd/internal/testns"
)

// tracked makes a namespace that tracks connections, and returns a UDP socket
// in it that answers nothing.
func tracked(t *testing.T) (*testns.NS, netip.AddrPort) {
	t.Helper()
	ns := testns.New(t)
	ns.Run(t, "nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new accept")
	var sink net.PacketConn
	ns.Do(t, func() (err error) {
		sink, err = net.ListenPacket("udp", "127.0.0.1:7")
		return err
	})
	t.Cleanup(func() { sink.Close() })
	return ns, netip.MustParseAddrPort("127.0.0.1:7")
}

// send makes n connections, each of one datagram, and returns their tuples.
func send(t *testing.T, ns *testns.NS, to netip.AddrPort, n int) []Tuple {
	t.Helper()
	var tuples []Tuple
	ns.Do(t, func() error {
		for range n {
			conn, err := net.Dial("udp", to.String())
			if err != nil {
				return err
			}
			tuples = append(tuples, NewTuple(17, conn.LocalAddr().(*net.UDPAddr).AddrPort(), to))
			_, err = conn.Write([]byte("x"))
			conn.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
	return tuples
}

// Drain has read what happened before it was called, without any Run.
func TestDrain(t *testing.T) {
	ns, to := tracked(t)
	var events []Event
	l, err := Listen(Config{NetNS: ns.FD(), Handle: func(e *Event) { events = append(events, *e) }, Overrun: func() { t.Error("overrun") }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tuple := send(t, ns, to, 1)[0]
	if err := l.Drain(); err != nil {
		t.Fatal(err)
	}
	if len(events) != 1 || events[0].Kind != New || events[0].Flow.Orig != tuple || events[0].Flow.Reply != tuple.Reverse() {
		t.Fatalf("events %+v, want NEW of %s", events, tuple)
	}
	ns.Run(t, "conntrack", "-D", "-p", "udp")
	if err := l.Drain(); err != nil {
		t.Fatal(err)
	}
	if len(events) != 2 || events[1].Kind != Destroy || events[1].Flow.ID != events[0].Flow.ID || events[1].Flow.Orig != tuple {
		t.Fatalf("events %+v, want DESTROY of %s", events, tuple)
	}
}

func TestRun(t *testing.T) {
	ns, to := tracked(t)
	events := make(chan Event, 10)
	l, err := Listen(Config{NetNS: ns.FD(), Handle: func(e *Event) { events <- *e }, Overrun: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	for range 3 {
		tuple := send(t, ns, to, 1)[0]
		select {
		case e := <-events:
			if e.Flow.Orig != tuple {
				t.Errorf("event of %s, want %s", e.Flow.Orig, tuple)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("no event")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOverrunIsTold(t *testing.T) {
	ns, to := tracked(t)
	var overruns, events atomic.Int32
	l, err := Listen(Config{NetNS: ns.FD(), Buffer: 1, Handle: func(*Event) { events.Add(1) }, Overrun: func() { overruns.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const n = 200
	send(t, ns, to, n)
	if err := l.Drain(); err != nil {
		t.Fatal(err)
	}
	if overruns.Load() == 0 || events.Load() == n {
		t.Errorf("%d of %d events, %d overruns", events.Load(), n, overruns.Load())
	}
	if s := l.Stats(); s.Overruns == 0 {
		t.Errorf("stats %+v", s)
	}
	// It goes on working.
	before := events.Load()
	send(t, ns, to, 1)
	if err := l.Drain(); err != nil || events.Load() == before {
		t.Errorf("no event after an overrun: %v", err)
	}
}

func TestDumpAndLookup(t *testing.T) {
	ns, to := tracked(t)
	c, err := Dial(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := make(map[Tuple]bool)
	for _, tuple := range send(t, ns, to, 300) { // more than one message's worth
		want[tuple] = true
	}
	ids := make(map[Tuple]uint32)
	if err := c.Dump(func(f *Flow) { ids[f.Orig] = f.ID }); err != nil {
		t.Fatal(err)
	}
	for tuple := range want {
		id, ok := ids[tuple]
		if !ok {
			t.Fatalf("%s is not in the dump", tuple)
		}
		for _, way := range []Tuple{tuple, tuple.Reverse()} {
			f, err := c.Lookup(way, 0)
			if err != nil || f.ID != id || f.Orig != tuple {
				t.Fatalf("lookup of %s: %+v, %v", way, f, err)
			}
		}
	}
	for what, f := range map[string]func() error{
		"another tuple": func() error {
			_, err := c.Lookup(NewTuple(17, to, netip.MustParseAddrPort("127.0.0.1:9")), 0)
			return err
		},
		"another zone": func() error {
			for tuple := range want {
				_, err := c.Lookup(tuple, 5)
				return err
			}
			return nil
		},
		"IPv6": func() error {
			_, err := c.Lookup(NewTuple(6, netip.MustParseAddrPort("[::1]:1"), netip.MustParseAddrPort("[::1]:2")), 0)
			return err
		},
	} {
		if err := f(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
