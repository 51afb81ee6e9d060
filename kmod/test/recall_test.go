// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// flowAdd is nft's `flow add @f`.
func flowAdd() []byte {
	return nest(unix.NFTA_LIST_ELEM, text(unix.NFTA_EXPR_NAME, "flow_offload"), nest(unix.NFTA_EXPR_DATA, text(1, "f")))
}

// whenFinal is `dict sessions ct id final true`.
func whenFinal() []byte {
	return dictExpr(big(exprOp, opMatch), lookup(exprLookup, dict.Sessions, "final", dict.Bool, attr(lookupCt)), big(exprCmp, cmpEq), items(lo(dict.BoolValue(true))))
}

// final says whether sessions may be put into the flowtable.
func (g *gateway) final(tb testing.TB, is bool, talks ...*talk) {
	tb.Helper()
	for _, k := range talks {
		if err := g.store.Put(dict.Sessions, dict.Row{Key: dict.CtID(k.id), Cells: []dict.Cell{{Field: "final", Value: dict.BoolValue(is)}}}); err != nil {
			tb.Fatal(err)
		}
	}
}

// wantFast checks which connections are in a flowtable: by what conntrack says, and
// by whether their packets pass by the chain.
func (g *gateway) wantFast(t *testing.T, want bool, talks ...*talk) {
	t.Helper()
	for i, k := range talks {
		if got := g.offloaded(t, k); got != want {
			t.Errorf("connection %d: offloaded %v, want %v", i, got, want)
		}
		before, packets := g.slow(t), uint64(0)
		if !want {
			packets = 2
		}
		if k.round(); g.slow(t)-before != packets {
			t.Errorf("connection %d: %d of 2 packets passed by the chain, want %d", i, g.slow(t)-before, packets)
		}
	}
}

// recall takes connections back, and checks which are missing.
func (g *gateway) recall(t *testing.T, missing []uint32, ids ...uint32) {
	t.Helper()
	start := time.Now()
	got, err := g.store.Recall(ids)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 100*time.Millisecond {
		t.Logf("recall of %d took %v", len(ids), d)
	}
	slices.Sort(missing)
	if d := cmp.Diff(missing, got); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
}

// TestRecall: what is taken back passes by the rules from its next packet on, as the
// connection that it was, and nothing else does.
func TestRecall(t *testing.T) {
	g := newGateway(t)
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
	var talks []*talk
	for _, from := range []string{"10.1.0.2", "10.1.0.2", "fd01::2"} {
		talks = append(talks, g.open(t, from))
	}
	g.final(t, false, talks...)
	for _, k := range talks {
		k.round()
	}
	g.wantFast(t, false, talks...)
	g.recall(t, nil, talks[0].id) // there is nothing to do
	g.final(t, true, talks...)
	for _, k := range talks {
		k.round()
		k.round()
	}
	g.wantFast(t, true, talks...)

	g.final(t, false, talks[1:]...)
	for i, k := range talks[1:] {
		g.recall(t, nil, k.id)
		g.wantFast(t, false, k)
		g.wantFast(t, true, slices.Concat(talks[:1], talks[i+2:])...)
		if row, err := g.store.Get(dict.Sessions, dict.CtID(k.id)); err != nil || len(row.Cells) != 1 {
			t.Errorf("row of a connection that was taken back: %v, %v", row, err)
		}
	}
	g.recall(t, nil, talks[1].id, talks[2].id, talks[2].id)
	g.wantFast(t, false, talks[1:]...)

	// Back into the flowtable when that may be; the flowtable forgets within seconds
	// what was in it.
	g.final(t, true, talks[1])
	fast := func() bool { talks[1].round(); return g.offloaded(t, talks[1]) }
	for deadline := time.Now().Add(20 * time.Second); !fast(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a connection that was taken back does not go into the flowtable any more")
		}
	}
	g.wantFast(t, true, talks[:2]...)

	// Nobody's id; and one of a connection without a row, which a walk has to find.
	if err := g.store.Delete(dict.Sessions, dict.CtID(talks[1].id)); err != nil {
		t.Fatal(err)
	}
	none := talks[0].id ^ 1
	g.recall(t, []uint32{none, talks[2].id ^ 0x5555}, talks[1].id, talks[2].id^0x5555, none)
	g.wantFast(t, false, talks[1])
	g.wantFast(t, true, talks[0])
	g.final(t, false, talks[0])
	g.recall(t, nil, talks[0].id)
	g.wantFast(t, false, talks...)
}

// TestRecallLives: a connection outlives its recall also where nf_flow_table would leave
// nothing of its life.
func TestRecallLives(t *testing.T) {
	g := newGateway(t)
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
	sysctl(t, "net/netfilter/nf_flowtable_udp_timeout", "1000")
	k := g.open(t, "10.1.0.2")
	g.final(t, true, k)
	k.round()
	k.round()
	g.wantFast(t, true, k)
	g.final(t, false, k)
	g.recall(t, nil, k.id)
	time.Sleep(2 * time.Second)
	g.wantFast(t, false, k) // the one of this id
}

// TestRecallVLAN: a connection in a VLAN, which a flowtable knows by more than devices.
func TestRecallVLAN(t *testing.T) {
	g := newGateway(t)
	g.vlan(t)
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
	talks := []*talk{g.open(t, "10.3.0.2"), g.open(t, "10.3.0.2")}
	g.final(t, true, talks...)
	for range 2 {
		talks[0].round()
		talks[1].round()
	}
	g.wantFast(t, true, talks...)
	g.final(t, false, talks[1])
	g.recall(t, nil, talks[1].id)
	g.wantFast(t, false, talks[1])
	g.wantFast(t, true, talks[0])
}

// TestRecallKnows: which rules make a flowtable known, and for how long.
func TestRecallKnows(t *testing.T) {
	g := newGateway(t)
	k := g.open(t, "10.1.0.2")
	g.final(t, true, k)
	known := func(what string, want bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !g.offloaded(t, k); time.Sleep(100 * time.Millisecond) {
			if k.round(); time.Now().After(deadline) {
				t.Fatalf("%s: the connection does not go into the flowtable", what)
			}
		}
		var missing []uint32
		if !want {
			missing = []uint32{k.id}
		}
		g.recall(t, missing, k.id)
		if g.offloaded(t, k) == want {
			t.Errorf("%s: offloaded %v after the recall", what, !want)
		}
	}
	all := func(messages ...message) {
		t.Helper()
		if err := g.batch(messages...); err != nil {
			t.Fatal(err)
		}
	}
	fail := func(messages ...message) {
		t.Helper()
		if err := g.batch(append(messages, g.failing())...); err == nil {
			t.Fatal("a transaction that fails is done")
		}
	}
	handle := func(n int) uint64 { t.Helper(); return g.list(t, "c")[n].handle }

	all(g.rule("c", flowAdd()))
	known("flow add alone", false)
	all(g.rule("c", whenFinal()))
	known("a term in another rule", false)
	fail(g.rule("c", whenFinal(), flowAdd()))
	known("a rule of a transaction that failed", false)
	all(g.rule("c", whenFinal(), flowAdd()))
	known("both in a rule", true)
	all(g.rule("c", flowAdd(), whenFinal(), whenFinal()))
	all(g.without("c", handle(4)))
	known("another such rule, which is deleted", true)
	fail(g.without("c", handle(3)))
	known("a deletion that failed", true)
	all(g.replace("c", handle(3), whenFinal(), flowAdd()))
	known("replaced by one alike", true)
	all(g.replace("c", handle(3), whenFinal()))
	known("replaced by one without", false)
	if err := g.batch(g.rule("c", whenFinal(), nest(unix.NFTA_LIST_ELEM, text(unix.NFTA_EXPR_NAME, "flow_offload"), nest(unix.NFTA_EXPR_DATA, text(1, "g"))))); !errors.Is(err, unix.ENOENT) {
		t.Errorf("flow add of no flowtable: %v, want %v", err, unix.ENOENT)
	}
}

// taken recalls, and returns how many connections were in a flowtable.
func (f *family) taken(tb testing.TB, ids ...uint32) (uint32, error) {
	var list []byte
	for _, id := range ids {
		list = append(list, intKey(id)...)
	}
	out, err := f.do(cmdRecall, attr(attrIDs, list))
	if err != nil {
		return 0, err
	}
	n, ok := find(tb, out[0], attrCount)
	if !ok {
		return 0, errors.New("recall: no count")
	}
	return n.num(), nil
}

// TestRecallMeanwhile: flowtables come and go, with their rules, devices and
// connections, while connections are taken back, out of each of them; these live
// through it, and none is left out of a recall. At last the namespace goes, with one
// connection in its flowtable.
func TestRecallMeanwhile(t *testing.T) {
	const rounds = 6
	g := newGateway(t)
	var talks []*talk
	for range 8 {
		talks = append(talks, g.open(t, "10.1.0.2"))
	}
	g.final(t, true, talks...)
	ids := make([]uint32, 0, len(talks)+100)
	for _, k := range talks {
		ids = append(ids, k.id)
	}
	for i := range uint32(100) { // these are looked for in all of a flowtable
		ids = append(ids, i+1)
	}
	var stop atomic.Bool
	var taken atomic.Uint32
	askers := []*family{newFamily(t), newFamily(t), newFamily(t)}
	threads := crowd(t, len(askers), func(i int) error {
		for !stop.Load() {
			n, err := askers[i].taken(t, ids[i:]...)
			if err != nil {
				return err
			}
			taken.Add(n)
		}
		return nil
	})
	end := func() { stop.Store(true); threads.Wait() }
	defer end()
	for i := range rounds {
		if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
			t.Fatal(err)
		}
		before := taken.Load()
		for n := 0; n < 3 || taken.Load() == before; n++ {
			if n == 100 {
				t.Fatalf("round %d: nothing was taken back", i)
			}
			for _, k := range talks {
				k.round()
			}
		}
		switch i % 3 {
		case 0:
			nft(t, "flush ruleset\n"+gatewayRules)
		case 1:
			nft(t, "delete table inet t\n"+gatewayRules)
		case 2:
			nft(t, "flush chain inet t c; delete flowtable inet t f")
			nft(t, "delete table inet t\n"+gatewayRules)
		}
	}
	end()
	t.Logf("%d times a connection was taken back", taken.Load())
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, k := range talks {
			k.round()
		}
	}
	g.wantFast(t, true, talks...)
	g.final(t, false, talks[1:]...)
	g.recall(t, ids[len(talks):], ids[1:]...)
	g.wantFast(t, true, talks[0])
	g.wantFast(t, false, talks[1:]...)
}

// TestRecallRefusals: what is no list of ids is refused, and nothing is taken back.
func TestRecallRefusals(t *testing.T) {
	g := newGateway(t)
	f := newFamily(t)
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
	k := g.open(t, "10.1.0.2")
	g.final(t, true, k)
	k.round()
	k.round()
	ids := func(n int) []byte { return attr(attrIDs, slices.Repeat(intKey(k.id), n)) }
	for _, q := range []request{
		{name: "no ids", want: unix.EINVAL, miss: attrIDs},
		{name: "empty list", attrs: [][]byte{ids(0)}, want: unix.EINVAL, bad: ids(0)},
		{name: "half an id more", attrs: [][]byte{attr(attrIDs, intKey(k.id), []byte{1, 2})}, want: unix.EINVAL, bad: attr(attrIDs, intKey(k.id), []byte{1, 2})},
		{name: "8193 ids", attrs: [][]byte{ids(8193)}, want: unix.E2BIG, text: "8192", bad: ids(8193)},
		{name: "unknown attribute", attrs: [][]byte{ids(1), num(99, 1)}, want: unix.EINVAL, bad: num(99, 1)},
		{name: "ids in a nest", attrs: [][]byte{nest(attrIDs, num(1, k.id))}, want: unix.EINVAL, bad: nest(attrIDs, num(1, k.id))},
	} {
		q.cmd = cmdRecall
		q.check(t, f)
	}
	g.wantFast(t, true, k)
	for _, p := range f.must(t, cmdRecall, ids(8192)) {
		if n, ok := find(t, p, attrCount); !ok || n.num() != 1 {
			t.Errorf("count %v, want 1", n)
		}
		if left, ok := find(t, p, attrIDs); !ok || len(left.data) != 0 {
			t.Errorf("missing %v, want none", left)
		}
	}
	g.final(t, false, k)
	g.recall(t, nil, k.id)
	g.recall(t, []uint32{0, math.MaxUint32}, math.MaxUint32, 0)
}
