// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/nftables"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/dictd/rules"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/fakenic"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
	"nftdict/nftext/rule"
)

// What a household's gateway does with the flowtable: two clients, one of them with a
// budget, and rules in front of dictd's own.
//
//	client ---- lan0 gateway (dictd, inet dictd_offload) wan0 ---- internet
//	guest  ---- lan1

// TestOffloadScene: what a rule rejects is never in the flowtable; a video is, once it
// is known, in software as well as in hardware, and passes by no rule any more; when
// its user may not go on, it is rejected within sceneLimit of his row, and another's
// video stays where it is, be it the kernel or a card that carries both.
func TestOffloadScene(t *testing.T) {
	for _, c := range []struct {
		kind     string
		hardware bool
		long     bool
	}{{"ebpf", true, false}, {"kmod", true, false}, {"ebpf", false, true}, {"kmod", false, true}} {
		if c.long && !need.Promised("long") {
			continue
		}
		name := c.kind + " software"
		if c.hardware {
			name = c.kind + " hardware"
		}
		t.Run(name, func(t *testing.T) {
			l := labtest.New(t, lab.Config{Guest: true})
			need.Feature(t, "flowtable", func() error { return rules.ProbeFlowtable(l.Gateway.FD()) })
			open := openEBPF
			if c.kind == "kmod" {
				open = openKmod
			}
			offloadScene(t, l, open(t, l.Gateway), c.hardware)
		})
	}
}

// sceneLimit is how long it may take from the row that says that somebody may not go on to
// the end of his request that is refused. It is meant to take 100 ms, and takes 10 to 150 in a
// guest, whose machine is emulated and may be busy.
const sceneLimit = 300 * time.Millisecond

func offloadScene(t *testing.T, l *lab.Lab, on *backend.Backend, hardware bool) {
	state := "software"
	var card *fakenic.Card
	if hardware {
		card = fakenic.New(t, l.Gateway, "lan0", "lan1", "wan0")
		state = "hardware"
	}
	d := startOn(t, l.Gateway, on, func(c *config.Config) {
		c.Offload.Enable, c.Offload.Counts, c.Reverse.Names = true, true, "off"
	})
	if s := d.Status().Offload; s.State != state {
		t.Fatalf("the flowtable is %+v, want %s", s, state)
	}
	b := rule.NewBatch(rule.Options{NetNS: l.Gateway.FD(), Schema: on.Store, Compiler: on.Compiler})
	defer b.Close()
	table := b.Conn().AddTable(&nftables.Table{Name: "house", Family: nftables.TableFamilyINet})
	forward := b.Conn().AddChain(&nftables.Chain{Name: "forward", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter})
	end := rule.Reject(rule.TCPReset)
	b.Add(forward,
		rule.New(rule.L4Proto().Is(rule.TCP), rule.Counter{}),
		rule.New(rule.Dict(`dict sessions ct id application "NETFLIX"`), rule.L4Proto().Is(rule.TCP), end),
		rule.New(rule.Dict("dict hosts ip saddr quota_exceeded true"), rule.L4Proto().Is(rule.TCP), end),
		rule.New(rule.Dict("dict hosts ip daddr quota_exceeded true"), rule.L4Proto().Is(rule.TCP), end),
	)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	slow := func() uint64 {
		t.Helper()
		m := regexp.MustCompile(`counter packets (\d+)`).FindStringSubmatch(run(t, l.Gateway, "nft", "list", "chain", "inet", "house", "forward"))
		if m == nil {
			t.Fatal("the chain has no counter")
		}
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	open := func(from *lab.Namespace, url string) *lab.Visit {
		t.Helper()
		browser := l.Browser()
		browser.From = from
		v, err := browser.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Close() })
		return v
	}
	get := func(v *lab.Visit) {
		t.Helper()
		if _, err := v.Get(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	of := func(client netip.Addr) (f *conntrack.Flow) {
		t.Helper()
		if err := d.account.kernel.Dump(func(found *conntrack.Flow) {
			if found.Orig.DstPort == 443 && found.Orig.Src() == client {
				f = new(conntrack.Flow)
				*f = *found
			}
		}); err != nil {
			t.Fatal(err)
		}
		return f
	}

	if _, err := open(l.Client, "https://www.netflix.com/").Get(t.Context(), ""); err == nil {
		t.Fatal("NETFLIX is let through")
	}
	if f := of(lab.Client4); f == nil || f.Offloaded() {
		t.Fatalf("the rejected connection: %+v", f)
	}
	run(t, l.Gateway, "conntrack", "-D", "-s", lab.Client4.String(), "-p", "tcp")

	video, other := open(l.Client, "https://www.youtube.com/"), open(l.Guest, "https://www.youtube.com/")
	carried := func(client netip.Addr) bool {
		for _, f := range d.flows(t) {
			if f.Client == client && f.Application == "YOUTUBE" && f.State == state {
				return true
			}
		}
		return false
	}
	eventually(t, "both videos are in the flowtable", func() bool {
		get(video)
		get(other)
		return carried(lab.Client4) && carried(lab.Guest4)
	})
	before := slow()
	for range 30 {
		get(video)
		get(other)
	}
	if n := slow() - before; n > 10 {
		t.Errorf("%d packets of the videos went through forward", n)
	}

	was, others := of(lab.Client4), of(lab.Guest4)
	exceed := func(client netip.Addr) {
		t.Helper()
		if err := on.Store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(client), Cells: []dict.Cell{{Field: "quota_exceeded", Value: dict.BoolValue(true)}}}); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	exceed(lab.Client4)
	n, err := d.Recall(offload.Whom{Kind: offload.OfHost, Name: lab.Client4.String()})
	took := time.Since(begin)
	if err != nil || n == 0 {
		t.Errorf("%d are recalled: %v", n, err)
	}
	// leaves checks that the card has nothing of a client any more.
	leaves := func(client netip.Addr) {
		t.Helper()
		for _, r := range card.State().Rules {
			if r.From.Addr() == client || r.To.Addr() == client {
				t.Errorf("the card goes on with %+v", r)
			}
		}
	}
	if hardware {
		leaves(lab.Client4)
	}
	// refused checks that a video does not go on, in time.
	refused := func(v *lab.Visit, whose string, limit time.Duration) {
		t.Helper()
		_, err := v.Get(t.Context(), "")
		after := time.Since(begin)
		if err == nil {
			t.Errorf("%s video goes on", whose)
		}
		t.Logf("%s video is refused %v after the row, %v of it the recall: %v", whose, after, took, err)
		if after > limit {
			t.Errorf("%s video is refused %v after the row, want %v at most", whose, after, limit)
		}
	}
	refused(video, "his", sceneLimit)
	if f := of(lab.Client4); f != nil && (f.Offloaded() || on.Kind == "kmod" && f.ID != was.ID) {
		t.Errorf("it is %+v, was %+v", f, was)
	}
	before = slow()
	for range 10 {
		get(other)
	}
	if n := slow() - before; n > 10 {
		t.Errorf("%d packets of the other's video went through forward", n)
	}
	if f := of(lab.Guest4); f == nil || !f.Offloaded() || f.ID != others.ID {
		t.Errorf("the other's is %+v, was %+v", f, others)
	}
	if !hardware {
		return
	}

	// One that the card is still learning does not come there behind the recall.
	card.Learn(50 * time.Millisecond)
	if _, err := d.Recall(offload.Whom{Kind: offload.OfHost, Name: lab.Guest4.String()}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the card is learning the other's video", func() bool {
		get(other)
		f := of(lab.Guest4)
		return f.Offloaded() && !f.InHardware()
	})
	seen := card.State()
	begin = time.Now()
	exceed(lab.Guest4)
	if _, err := d.Recall(offload.Whom{Kind: offload.OfHost, Name: lab.Guest4.String()}); err != nil {
		t.Fatal(err)
	}
	took = time.Since(begin)
	leaves(lab.Guest4)
	// What the card was told before, it learns first, for each of its devices in turn: that
	// takes 350 ms, and has taken 900 in a busy guest.
	refused(other, "the other's", 2*time.Second)
	if now := card.State(); now.Accepted == seen.Accepted || now.Packets != seen.Packets || len(now.Rules) != 0 {
		t.Errorf("the card was %+v, is %+v", seen, now)
	}
}
