// SPDX-License-Identifier: MIT

package test

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/internal/need"
)

// TestRecallCrowd: out of many connections in a flowtable some are taken back, a
// hundred times a second where the processor is fast enough, and no others; what is
// taken back is there still and passes by the rules, and nothing is left of it when it
// is over. Ten
// thousand connections and six thousand recalls where the run has promised to take long.
func TestRecallCrowd(t *testing.T) {
	flows, recalls := 1000, 200
	if need.Promised("long") {
		flows, recalls = 10_000, 6000
		sysctl(t, "net/netfilter/nf_conntrack_max", "65536")
	}
	g := newGateway(t)
	sysctl(t, "net/netfilter/nf_flowtable_udp_timeout", "3600")
	// What is taken back lives for as long as the one is longer than the other.
	sysctl(t, "net/netfilter/nf_conntrack_udp_timeout", "7200")
	sysctl(t, "net/netfilter/nf_conntrack_udp_timeout_stream", "7200")
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
	inside(t, g.server, func() error { // the server is silent
		nft(t, "table ip silent { chain in { type filter hook input priority 0; policy drop; }; }")
		return nil
	})
	var client *net.UDPConn
	inside(t, g.client, func() (err error) {
		client, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 1, 0, 2)})
		return err
	})
	t.Cleanup(func() { client.Close() })
	send := func(i int) {
		t.Helper()
		to := netip.AddrPortFrom(netip.MustParseAddr("10.2.0.2"), uint16(10_000+i))
		if _, err := client.WriteToUDPAddrPort(make([]byte, 100), to); err != nil {
			t.Fatal(err)
		}
	}
	type flow struct {
		id      uint32
		offload bool
	}
	dump := func() map[uint16]flow {
		t.Helper()
		all, err := g.tracks.Dump(nil)
		if err != nil {
			t.Fatal(err)
		}
		found := make(map[uint16]flow, flows)
		for _, f := range all {
			if f.TupleOrig.Proto.SourcePort == port(client) {
				found[f.TupleOrig.Proto.DestinationPort] = flow{f.ID, uint32(f.Status)&statusOffload != 0}
			}
		}
		return found
	}
	// all sends to those that are not as they should be, until none is left.
	all := func(what string, is func(f flow, known bool) bool) map[uint16]flow {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Minute); ; {
			found, left := dump(), 0
			for i := range flows {
				if f, known := found[uint16(10_000+i)]; !is(f, known) {
					left++
					send(i)
				}
			}
			if left == 0 {
				return found
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d connections of %d are not %s", left, flows, what)
			}
		}
	}
	known := all("known", func(_ flow, known bool) bool { return known })
	say := func(final bool, ids ...uint32) {
		t.Helper()
		rows := make([]dict.Row, len(ids))
		for i, id := range ids {
			rows[i] = dict.Row{Key: dict.CtID(id), Cells: []dict.Cell{{Field: "final", Value: dict.BoolValue(final)}}}
		}
		if err := g.store.Put(dict.Sessions, rows...); err != nil {
			t.Fatal(err)
		}
	}
	ids := make([]uint32, flows)
	for i := range flows {
		ids[i] = known[uint16(10_000+i)].id
	}
	say(true, ids...)
	all("in the flowtable", func(f flow, _ bool) bool { return f.offload })
	// settled returns how many packets have passed by the chain when none comes any more.
	settled := func() uint64 {
		t.Helper()
		for n := g.slow(t); ; {
			time.Sleep(100 * time.Millisecond)
			again := g.slow(t)
			if again == n {
				return n
			}
			n = again
		}
	}

	before := settled()
	worst, began := time.Duration(0), time.Now()
	for i := range recalls {
		time.Sleep(time.Until(began.Add(time.Duration(i) * 10 * time.Millisecond)))
		start := time.Now()
		say(false, ids[i])
		if missing, err := g.store.Recall(ids[i : i+1]); err != nil || len(missing) != 0 {
			t.Fatalf("recall %d: missing %v, %v", i, missing, err)
		}
		worst = max(worst, time.Since(start))
		send(i) // passes by the rules
		send(flows - 1)
	}
	took := time.Since(began)
	t.Logf("%d of %d connections are taken back in %v, %.0f a second, the slowest in %v", recalls, flows, took, float64(recalls)/took.Seconds(), worst)
	if n := settled() - before; n != uint64(recalls) {
		t.Errorf("%d packets passed by the rules, want %d", n, recalls)
	}
	// check checks that all are there, with their ids, and the first n on the slow path.
	check := func(n int) {
		t.Helper()
		now, odd := dump(), 0
		for i := range flows {
			if want := (flow{ids[i], i >= n}); now[uint16(10_000+i)] != want {
				if odd++; odd < 10 {
					t.Errorf("connection %d of %d, %d taken back: %+v, want %+v", i, flows, n, now[uint16(10_000+i)], want)
				}
			}
		}
		if odd > 0 {
			t.Errorf("%d connections are not as they should be", odd)
		}
	}
	check(recalls)
	start := time.Now()
	say(false, ids...)
	missing, err := g.store.Recall(ids)
	if took = time.Since(start); err != nil || len(missing) != 0 || took > 10*time.Second {
		t.Errorf("recall of all: %d missing, %v, %v", len(missing), err, took)
	} else {
		t.Logf("all are taken back in %v", took)
	}
	check(flows)
	// Conntrack counts what somebody still holds.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if err := g.tracks.Flush(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_count")
		if err != nil {
			t.Fatal(err)
		}
		left := strings.TrimSpace(string(text))
		if left == "0" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s connections are left", left)
		}
	}
}
