// SPDX-License-Identifier: MIT

package genl_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

const queueNum = 7

// queue adds a rule that queues.
func (r *ruleBench) queue(tb testing.TB) {
	tb.Helper()
	e, err := expr.Marshal(unix.NFPROTO_INET, &expr.Queue{Num: queueNum, Total: 1, Flag: expr.QueueFlagBypass})
	if err != nil {
		tb.Fatal(err)
	}
	enc := netlink.NewAttributeEncoder()
	enc.Bytes(netlink.Nested|unix.NFTA_LIST_ELEM, e)
	elem, err := enc.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	// A rule of the bench ends in a counter, and queue ends a rule: so the
	// counter tells nothing here.
	if err := r.rules(tb, elem); err != nil {
		tb.Fatal(err)
	}
}

// behind makes the chain that a packet meets after the queue.
func (r *ruleBench) behind(tb testing.TB) {
	tb.Helper()
	conn, err := nftables.New(nftables.WithNetNSFd(int(r.gateway)))
	if err != nil {
		tb.Fatal(err)
	}
	t := &nftables.Table{Name: target().Table, Family: nftables.TableFamilyINet}
	conn.AddChain(&nftables.Chain{Name: "behind", Table: t})
	post := conn.AddChain(&nftables.Chain{
		Name: "post", Table: t, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRef(-50),
	})
	conn.AddRule(&nftables.Rule{Table: t, Chain: post, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: "behind"}}})
	if err := conn.Flush(); err != nil {
		tb.Fatal(err)
	}
}

// attach returns the expressions that make a connection known to sessions.
func (r *ruleBench) attach(tb testing.TB) []byte {
	tb.Helper()
	sessions, err := r.store.Table(dict.Sessions)
	if err != nil {
		tb.Fatal(err)
	}
	code, err := r.compiler.(nftext.Attacher).Attach(target(), sessions)
	if err != nil {
		tb.Fatal(err)
	}
	return code.Exprs
}

// read accepts queued packets after f has seen their conntrack ids.
func (r *ruleBench) read(tb testing.TB, f func(id uint32)) {
	tb.Helper()
	q, err := nfqueue.Open(&nfqueue.Config{
		NfQueue: queueNum, MaxPacketLen: 0xffff, MaxQueueLen: 16, Copymode: nfqueue.NfQnlCopyPacket,
		Flags: nfqueue.NfQaCfgFlagConntrack, NetNS: int(r.gateway),
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(func() {
		cancel()
		q.Close()
	})
	handle := func(a nfqueue.Attribute) int {
		if id, ok := idOf(a.Ct); ok {
			f(id)
		} else {
			tb.Error("a queued packet without its connection's id")
		}
		if err := q.SetVerdict(*a.PacketID, nfqueue.NfAccept); err != nil {
			tb.Error(err)
		}
		return 0
	}
	failed := func(err error) int {
		if ctx.Err() == nil {
			tb.Errorf("queue: %v", err)
		}
		return 0
	}
	if err := q.RegisterWithErrorFunc(ctx, handle, failed); err != nil {
		tb.Fatal(err)
	}
}

// idOf reads the id among the attributes of a connection.
func idOf(ct *[]byte) (uint32, bool) {
	const ctaID = 12
	if ct == nil {
		return 0, false
	}
	attrs, err := netlink.NewAttributeDecoder(*ct)
	if err != nil {
		return 0, false
	}
	attrs.ByteOrder = binary.BigEndian
	for attrs.Next() {
		if attrs.Type() == ctaID {
			return attrs.Uint32(), true
		}
	}
	return 0, false
}

// TestFirstPacket: the connection of a packet that waits in a queue is in no
// table of the kernel yet. Attached before the queue it takes a row, and the
// very packet meets it behind the queue.
func TestFirstPacket(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	v4, _ := ruletest.Flows()
	r.chain(t, v4.Mark, v4.CtMark)
	if err := r.rules(t, r.attach(t)); err != nil {
		t.Fatal(err)
	}
	r.behind(t)
	r.addTo(t, "behind", matchNetflix)
	r.queue(t)
	seen := make(chan uint32, 1)
	r.read(t, func(id uint32) {
		if _, err := r.store.Get(dict.Sessions, dict.CtID(id)); !errors.Is(err, dict.ErrNotExist) {
			t.Errorf("an attached connection has a row before one is put: %v", err)
		}
		row := netflix(id)
		row.TTL = time.Minute
		if err := r.store.Put(dict.Sessions, row); err != nil {
			t.Errorf("put for a connection that waits: %v", err)
		}
		seen <- id
	})
	r.send(t, false, 1)
	var id uint32
	select {
	case id = <-seen:
	case <-time.After(10 * time.Second):
		t.Fatal("no packet came to the queue")
	}
	within(t, "the packet goes on", func() error {
		if n := r.listOf(t, "behind")[0].packets; n != 1 {
			return fmt.Errorf("%d packets met their row, want 1", n)
		}
		return nil
	})
	if row, err := r.store.Get(dict.Sessions, dict.CtID(id)); err != nil || row.TTL == 0 {
		t.Errorf("row %v, %v, want one that ends within a minute", row, err)
	}
	if err := r.store.Put(dict.Sessions, netflix(id)); err != nil {
		t.Fatal(err)
	}
	if row, err := r.store.Get(dict.Sessions, dict.CtID(id)); err != nil || row.TTL != 0 {
		t.Errorf("row %v, %v, want one without end", row, err)
	}
	// By then the row has its connection, though no packet came since: it goes
	// with it, and at once.
	time.Sleep(3 * time.Second)
	if err := r.conntrack(t).Delete(r.flows(t, false)[0]); err != nil {
		t.Fatal(err)
	}
	within(t, "row goes", func() error {
		if row, err := r.store.Get(dict.Sessions, dict.CtID(id)); !errors.Is(err, dict.ErrNotExist) {
			return fmt.Errorf("row %v, %v", row, err)
		}
		return nil
	})
}
