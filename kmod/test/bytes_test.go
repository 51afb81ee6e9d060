// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/nftables/expr"

	"nftdict/dict"
	"nftdict/genl"
	"nftdict/internal/lab"
)

// judge has the module decide: sessions whose row says final go into the flowtable,
// packets of those whose application is BLOCKED are dropped.
func (p *path) judge(tb testing.TB) *genl.Store {
	tb.Helper()
	var store *genl.Store
	err := p.Gateway.Do(func() (err error) {
		store, err = genl.Open()
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	for _, t := range dict.Standard(dict.DefaultLimit) {
		if err := store.AddTable(t); err != nil {
			tb.Fatal(err)
		}
	}
	blocked := dictExpr(big(exprOp, opMatch), lookup(exprLookup, dict.Sessions, "application", dict.String, attr(lookupCt)), big(exprCmp, cmpEq), items(lo(dict.MustString("BLOCKED"))))
	if err := p.batch(p.rule("c", blocked, marshal(tb, &expr.Verdict{Kind: expr.VerdictDrop})), p.rule("c", whenFinal(), flowAdd())); err != nil {
		tb.Fatal(err)
	}
	return store
}

// say writes a session's row.
func say(tb testing.TB, s *genl.Store, id uint32, final bool, application string) {
	tb.Helper()
	row := dict.Row{Key: dict.CtID(id), Cells: []dict.Cell{{Field: "final", Value: dict.BoolValue(final)}, {Field: "application", Value: dict.MustString(application)}}}
	if err := s.Put(dict.Sessions, row); err != nil {
		tb.Fatal(err)
	}
}

// TestBytes: whatever connections move through a flowtable, in software or in the
// card, while some are taken back at random, conntrack counts as the devices do. A part
// goes that way, and the rest by the rules. What the card had not been asked for when a
// rule went is the kernel's to lose.
func TestBytes(t *testing.T) {
	for name, hardware := range map[string]bool{"software": false, "hardware": true} {
		t.Run(name, func(t *testing.T) {
			flags := ""
			if hardware {
				flags = "flags offload"
			}
			p := newPath(t, hardware, flags, "")
			store := p.judge(t)
			bytesThrough(t, p, store)
		})
	}
}

func bytesThrough(t *testing.T, p *path, store *genl.Store) {
	const flows, most = 100, 60_000
	// What devices receive of neither TCP nor UDP is not conntrack's.
	if err := p.nft(`table netdev wire {
	counter noise { }
	chain lan { type filter hook ingress device lan0 priority -500; meta l4proto != { tcp, udp } counter name noise; meta protocol arp counter name noise; }
	chain wan { type filter hook ingress device wan0 priority -500; meta l4proto != { tcp, udp } counter name noise; meta protocol arp counter name noise; }
}`); err != nil {
		t.Fatal(err)
	}
	// Entries are read at the end: those of the first connections are to be there still,
	// however slow the kernel is. An hour is more than the guest lives.
	for _, state := range []string{"fin_wait", "close_wait", "last_ack", "time_wait", "close", "max_retrans", "unacknowledged"} {
		if err := p.Gateway.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_"+state, "3600"); err != nil {
			t.Fatal(err)
		}
	}
	var asker *family
	if err := p.Gateway.Do(func() error { asker = newFamily(t); return nil }); err != nil {
		t.Fatal(err)
	}
	before, rules := p.received(), p.counted("inet t", "slow")
	random := rand.New(rand.NewPCG(1, 2))
	lengths := make([]int, flows)
	for i := range lengths {
		lengths[i] = 1 + random.IntN(most)
	}
	// One lasts until the card has told what it moved, and is never taken back.
	lasting := p.dial(p.Client, lab.Internet4)
	p.talk(lasting, 500)
	say(t, store, p.entry(lasting).ID, true, "VIDEO")
	if p.card != nil {
		p.carried(lasting, statusHardware)
	}
	p.talk(lasting, most)
	var mu sync.Mutex
	var open []uint32 // ids
	known := func(id uint32) { mu.Lock(); defer mu.Unlock(); open = append(open, id) }
	over := func(id uint32) {
		mu.Lock()
		defer mu.Unlock()
		open = slices.DeleteFunc(open, func(o uint32) bool { return o == id })
	}
	back := make(chan struct{}, 1) // says that one is to be taken back
	taken := 0
	var recalls, workers sync.WaitGroup
	recalls.Go(func() {
		for range back {
			mu.Lock()
			some := slices.Clone(open)
			mu.Unlock()
			if len(some) == 0 {
				continue
			}
			n, err := asker.taken(t, some[rand.IntN(len(some))])
			if err != nil {
				t.Error(err)
			}
			taken += int(n)
		}
	})
	next := make(chan int)
	for range 8 {
		workers.Go(func() {
			for i := range next {
				to := lab.Internet4
				if i%2 == 1 {
					to = lab.Internet6
				}
				c := p.dial(p.Client, to)
				if err := exchange(c, 500); err != nil {
					t.Error(err)
				}
				id := p.entry(c).ID
				say(t, store, id, true, "VIDEO")
				known(id)
				for n := lengths[i]; n > 0; n -= 8000 {
					if err := exchange(c, min(n, 8000)); err != nil {
						t.Error(err)
					}
					if rand.IntN(4) == 0 {
						select {
						case back <- struct{}{}:
						default:
						}
					}
				}
				over(id)
				c.Close()
			}
		})
	}
	for i := range flows {
		next <- i
	}
	close(next)
	workers.Wait()
	close(back)
	recalls.Wait()
	rules = p.counted("inet t", "slow") - rules
	if p.card != nil {
		p.until("the card has told", func() bool {
			s := p.card.State()
			told := s.Bytes - s.Untold
			for _, r := range s.Rules {
				told -= r.Bytes - r.Told
			}
			return told >= most
		})
	}
	lasting.Close()
	// Entries of connections that are over may be gone before the card has been told.
	moved := make(map[uint32]uint64)
	total, wire := uint64(0), uint64(0)
	tell := func() string {
		s := ""
		if p.card != nil {
			c := p.card.State()
			s = fmt.Sprintf("; the card forwarded %d, and of what it did not tell %d went", c.Bytes, c.Untold)
		}
		return fmt.Sprintf("%d times a connection was taken back; %d bytes passed by the rules; conntrack has %d bytes of %d%s", taken, rules, total, wire, s)
	}
	defer func() { t.Log(tell()) }()
	p.until("conntrack has what the devices have", func() bool {
		wire = p.received() - before
		all, err := p.ct.Dump(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.TupleOrig.Proto.DestinationPort == echoPort {
				moved[f.ID] = f.CountersOrig.Bytes + f.CountersReply.Bytes
			}
		}
		total = 0
		for _, n := range moved {
			total += n
		}
		if p.card != nil {
			return total+p.card.State().Untold == wire
		}
		return total == wire
	})
	if taken < flows/10 {
		t.Errorf("%d times a connection was taken back, want %d", taken, flows/10)
	}
	if past := wire - min(rules, wire); past < wire/4 {
		t.Errorf("%d bytes of %d went past the rules", past, wire)
	}
	if p.card != nil && p.card.State().Bytes < wire/10 {
		t.Errorf("the card forwarded %d bytes of %d", p.card.State().Bytes, wire)
	}
}

// received returns the bytes of TCP and UDP that lan0 and wan0 have received. What is
// neither comes when it likes: between the reading of one figure and of the other it
// would be in one alone, so both are read until they hold still.
func (p *path) received() uint64 {
	p.tb.Helper()
	for all, noise := p.devices(), p.counted("netdev wire", "noise"); ; {
		again, same := p.devices(), p.counted("netdev wire", "noise")
		if again == all && same == noise {
			return all - noise
		}
		all, noise = again, same
	}
}

// devices returns the bytes of packets that lan0 and wan0 have received.
func (p *path) devices() (n uint64) {
	p.tb.Helper()
	const etherHeader = 14
	h, err := p.Gateway.Netlink()
	if err != nil {
		p.tb.Fatal(err)
	}
	defer h.Close()
	for _, name := range []string{"lan0", "wan0"} {
		l, err := h.LinkByName(name)
		if err != nil {
			p.tb.Fatal(err)
		}
		s := l.Attrs().Statistics
		n += s.RxBytes - etherHeader*s.RxPackets
	}
	return n
}
