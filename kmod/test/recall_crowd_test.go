// SPDX-License-Identifier: MIT

package test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/internal/need"
)

// TestRecallCrowd: out of many connections in a flowtable some are taken back, a
// hundred times a second, and no others. Ten thousand connections and a minute where
// the run has promised to take long.
func TestRecallCrowd(t *testing.T) {
	flows, lasts := 1000, 2*time.Second
	if need.Promised("long") {
		flows, lasts = 10_000, time.Minute
	}
	g := newGateway(t)
	sysctl(t, "net/netfilter/nf_flowtable_udp_timeout", "300")
	// What is taken back lives for as long as the one is longer than the other.
	sysctl(t, "net/netfilter/nf_conntrack_udp_timeout", "600")
	sysctl(t, "net/netfilter/nf_conntrack_udp_timeout_stream", "600")
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
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
	for i := range flows {
		send(i)
	}
	known := dump()
	if len(known) != flows {
		t.Fatalf("%d connections of %d", len(known), flows)
	}
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
	for i := range flows {
		send(i)
	}
	kept := 0
	for _, f := range dump() {
		if f.offload {
			kept++
		}
	}
	if kept != flows {
		t.Fatalf("%d connections of %d are in the flowtable", kept, flows)
	}

	back := 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	worst, began := time.Duration(0), time.Now()
	for time.Since(began) < lasts && back < flows {
		<-tick.C
		start := time.Now()
		say(false, ids[back])
		if missing, err := g.store.Recall(ids[back : back+1]); err != nil || len(missing) != 0 {
			t.Fatalf("recall %d: missing %v, %v", back, missing, err)
		}
		worst = max(worst, time.Since(start))
		send(back) // passes by the rules
		send(flows - 1)
		back++
	}
	t.Logf("%d of %d connections are taken back in %v, the slowest in %v", back, flows, time.Since(began), worst)
	for p, f := range dump() {
		i := int(p) - 10_000
		if want := i >= back; f.offload != want || f.id != ids[i] {
			t.Errorf("connection %d of %d, %d taken back: %+v, want offloaded %v and id %d", i, flows, back, f, want, ids[i])
		}
	}
	start := time.Now()
	say(false, ids...)
	missing, err := g.store.Recall(ids)
	if took := time.Since(start); err != nil || len(missing) != 0 || took > 10*time.Second {
		t.Errorf("recall of all: %d missing, %v, %v", len(missing), err, took)
	} else {
		t.Logf("all are taken back in %v", took)
	}
	for p, f := range dump() {
		if f.offload {
			t.Errorf("connection %d is still in the flowtable", p-10_000)
		}
	}
}
