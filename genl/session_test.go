// SPDX-License-Identifier: MIT

package genl_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext/ruletest"
)

// netflix is the row of a session.
func netflix(id uint32) dict.Row {
	return dict.Row{Key: dict.CtID(id), Cells: []dict.Cell{{Field: "application", Value: dict.MustString("NETFLIX")}}}
}

const matchNetflix = `dict sessions ct id application "NETFLIX"`

// TestNoEntry: a session is a connection; without one there is no row.
func TestNoEntry(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	flow, _ := ruletest.Flows()
	r.fresh(t, flow)
	id := r.flows(t, false)[0].ID
	err := r.store.Put(dict.Sessions, netflix(id+1), netflix(id))
	if !errors.Is(err, dict.ErrNotExist) {
		t.Fatalf("put for two ids, one of them nobody's: %v, want %v", err, dict.ErrNotExist)
	}
	if _, err := r.store.Get(dict.Sessions, dict.CtID(id+1)); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("get: %v, want %v", err, dict.ErrNotExist)
	}
	if row, err := r.store.Get(dict.Sessions, dict.CtID(id)); err != nil || row.TTL != 0 || len(row.Cells) != 1 {
		t.Errorf("the connection's row: %v, %v, want one cell and no end", row, err)
	}
	if st, err := r.store.Stats(dict.Sessions); err != nil || st.Rows != 1 || st.Refused != 0 {
		t.Errorf("figures %+v, %v", st, err)
	}
}

// TestEntryGone: a row goes with its connection, and a connection that has the
// id again has no row.
func TestEntryGone(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	flow, _ := ruletest.Flows()
	r.fresh(t, flow)
	r.add(t, matchNetflix)
	f := r.flows(t, false)[0]
	if err := r.store.Put(dict.Sessions, netflix(f.ID)); err != nil {
		t.Fatal(err)
	}
	r.pass(t, false, 1)
	if n := r.list(t)[0].packets; n != 1 {
		t.Fatalf("%d packets matched, want 1", n)
	}
	if err := r.conntrack(t).Delete(f); err != nil {
		t.Fatal(err)
	}
	r.pass(t, false, 1)
	if n := r.list(t)[0].packets; n != 1 {
		t.Errorf("a packet of the next connection matched the row of the last")
	}
	t.Logf("ids %d and then %d", f.ID, r.flows(t, false)[0].ID)
	within(t, "row goes", func() error {
		if row, err := r.store.Get(dict.Sessions, dict.CtID(f.ID)); !errors.Is(err, dict.ErrNotExist) {
			return fmt.Errorf("row %v, %v", row, err)
		}
		if st, err := r.store.Stats(dict.Sessions); err != nil || st.Rows != 0 {
			return fmt.Errorf("figures %+v, %v", st, err)
		}
		return nil
	})
}

// TestRejectedFirstPacket: what a packet that was dropped left of its
// connection, which never came to be, is nothing to the next one, though it has
// the same addresses, and maybe the same id and the same memory.
func TestRejectedFirstPacket(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	v4, _ := ruletest.Flows()
	r.chain(t, v4.Mark, v4.CtMark)
	r.add(t, matchNetflix, `dict sessions ct id application set "NETFLIX"`, matchNetflix)
	e, err := expr.Marshal(unix.NFPROTO_INET, &expr.Verdict{Kind: expr.VerdictDrop})
	if err != nil {
		t.Fatal(err)
	}
	drop := netlink.NewAttributeEncoder()
	drop.Bytes(netlink.Nested|unix.NFTA_LIST_ELEM, e)
	elem, err := drop.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.rules(t, elem); err != nil {
		t.Fatal(err)
	}
	const packets = 50
	r.send(t, false, packets)
	within(t, "packets meet the rules", func() error {
		rules := r.list(t)
		if before, after := rules[0].packets, rules[2].packets; before != 0 || after != packets {
			return fmt.Errorf("%d of %d packets met a row before theirs was written, %d afterwards", before, packets, after)
		}
		return nil
	})
}
