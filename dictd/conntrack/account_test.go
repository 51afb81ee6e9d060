// SPDX-License-Identifier: MIT

package conntrack

import (
	"net"
	"slices"
	"testing"
	"time"
)

// What was sent is counted in dumps and in the event of the end, and when the
// connection began is known in both.
func TestAccount(t *testing.T) {
	ns, to := tracked(t)
	ns.Sysctl(t, "net/netfilter/nf_conntrack_acct", "0")
	switched, err := Account(ns.FD())
	if err != nil || !slices.Contains(switched, "net.netfilter.nf_conntrack_acct") {
		t.Fatalf("switched %q, %v", switched, err)
	}
	if again, err := Account(ns.FD()); err != nil || len(again) != 0 {
		t.Errorf("switched again: %q, %v", again, err)
	}
	before := uint64(time.Now().Add(-time.Second).UnixNano())
	var end []Flow
	l, err := Listen(Config{NetNS: ns.FD(), Handle: func(e *Event) {
		if e.Kind == Destroy {
			end = append(end, e.Flow)
		}
	}, Overrun: func() { t.Error("overrun") }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ns.Do(t, func() error {
		conn, err := net.Dial("udp", to.String())
		if err != nil {
			return err
		}
		defer conn.Close()
		for range 3 {
			if _, err := conn.Write(make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	})
	c, err := Dial(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := [2]Counter{{Packets: 3, Bytes: 3 * 128}}
	var alive []Flow
	if err := c.Dump(func(f *Flow) { alive = append(alive, *f) }); err != nil {
		t.Fatal(err)
	}
	if len(alive) != 1 || !alive[0].Counted || alive[0].Counters != want || alive[0].Start < before || alive[0].Stop != 0 || alive[0].Dying() || alive[0].Offloaded() {
		t.Fatalf("dump shows %+v", alive)
	}
	ns.Run(t, "conntrack", "-D", "-p", "udp")
	if err := l.Drain(); err != nil {
		t.Fatal(err)
	}
	if len(end) != 1 || end[0].Counters != want || end[0].Start != alive[0].Start || end[0].Stop < end[0].Start {
		t.Fatalf("events %+v", end)
	}
}
