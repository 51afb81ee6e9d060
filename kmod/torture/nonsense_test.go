// SPDX-License-Identifier: MIT

package torture

import (
	"errors"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRules loads batches of rules, right and wrong ones, in all families and
// hooks, and sends packets through what has been loaded.
func TestRules(t *testing.T) {
	b := newBudget(t)
	h := newHost(t)
	w := newWire(t)
	spec, constants := loadSpec(t), loadConstants(t)
	tables := func() {
		for _, attrs := range ruleTables(true) {
			if err := h.command(cmdTableNew, 0, attrs, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	tables()
	list := chains(w.device)
	loaded, refused, packets := 0, 0, 0
	errnos := map[error]int{}
	for r := b.next(); r != nil; r = b.next() {
		batch := h.batchOf(newRuler(r, spec, constants), list)
		switch err := batch.commit(); {
		case err == nil:
			loaded++
		case errors.Is(err, errSilent):
			t.Fatalf("case %d: %v", b.done, err)
		default:
			refused++
			errnos[err]++
		}
		for range 1 + r.IntN(3) {
			packets += w.send(t, r)
		}
		switch r.IntN(20) {
		case 0:
			if err := h.listRules(); err != nil {
				t.Fatalf("case %d: list rules: %v", b.done, err)
			}
		case 1, 2, 3:
			if err := h.flushRules(); err != nil {
				t.Fatalf("case %d: delete rules: %v", b.done, err)
			}
		case 4:
			h.rows(t, r, spec)
		case 5:
			if err := h.flushEntries(); err != nil {
				t.Fatalf("case %d: delete entries: %v", b.done, err)
			}
		}
		if b.done%sweepEvery == 0 {
			h.sweep(t)
			tables()
		}
		if t.Failed() {
			t.Fatalf("in case %d", b.done)
		}
	}
	h.sweep(t)
	t.Logf("%d batches loaded, %d refused %v, %d packets", loaded, refused, errnos, packets)
	if b.done > 200 && (loaded < b.done/20 || refused < b.done/20) {
		t.Errorf("%d of %d were loaded: that tests little", loaded, b.done)
	}
}

// batchOf makes a batch of some rules, of which now and then one is wrong, and
// which now and then is given up at its end.
func (h *host) batchOf(w *ruler, list []chain) *batch {
	b := newBatch(h.nft)
	for range 1 + w.IntN(5) {
		c := pick(w.Rand, list...)
		w.family = c.family
		root := &node{nest: true, kids: w.rule()}
		if chance(w.Rand, 4) {
			for range pick(w.Rand, 1, 1, 2, 4) {
				mutateDict(w.Rand, root)
			}
		}
		b.addChain(c)
		if chance(w.Rand, 5) {
			b.delRules(c)
		}
		b.addRule(c, root.kids...)
	}
	if chance(w.Rand, 5) {
		b.add(unix.NFT_MSG_DELTABLE, 0, unix.NFPROTO_IPV4, text(unix.NFTA_TABLE_NAME, "absent"))
	}
	return b
}

// mutateDict changes something in an expression of ours.
func mutateDict(r *rand.Rand, root *node) {
	var ours []*node
	for _, e := range root.kids {
		if len(e.kids) == 2 && string(e.kids[0].data) == "dict\x00" {
			ours = append(ours, e.kids[1])
		}
	}
	if len(ours) > 0 {
		mutate(r, pick(r, ours...))
	}
}

// listRules reads all rules.
func (h *host) listRules() error {
	return h.nft.do(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETRULE, unix.NLM_F_DUMP, []byte{0, 0, 0, 0}, nil)
}

// rows puts some rows into the tables.
func (h *host) rows(t *testing.T, r *rand.Rand, s *spec) {
	t.Helper()
	for _, q := range s.requests() {
		if q.cmd != cmdRowPut {
			continue
		}
		w := writer{Rand: r, spec: s}
		if err := h.command(cmdRowPut, 0, w.message(q).kids, nil); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ESTALE) {
			t.Fatalf("put rows: %v", err)
		}
	}
}

// TestLargeRule: an expression that a listing could not hold is refused, and
// one that it can is listed whole.
func TestLargeRule(t *testing.T) {
	h := newHost(t)
	h.ruleTables(t)
	w := newRuler(rand.New(rand.NewPCG(1, 1)), loadSpec(t), loadConstants(t))
	c := chain{family: unix.NFPROTO_INET, name: "output", hook: 3}
	for _, bytes := range []int{15000, 17000, 60000} {
		var items []*node
		for size := 0; size < bytes; size += 4000 {
			items = append(items, nest(unix.NFTA_LIST_ELEM, raw(w.c["NFTA_DICT_ITEM_TOKENS"], []byte{'v', 0}), raw(w.c["NFTA_DICT_ITEM_CLASSES"], make([]byte, min(4000, bytes-size)&^31))))
		}
		rule := append(w.register(1, 4), expression("dict", be32(w.c["NFTA_DICT_OP"], uint32(w.c["NFT_DICT_MATCH"])), be32(w.c["NFTA_DICT_CMP"], uint32(w.c["NFT_DICT_EQ"])),
			nest(w.c["NFTA_DICT_ITEMS"], items...), nest(w.c["NFTA_DICT_LOOKUP"], text(w.c["NFTA_DICT_LOOKUP_TABLE"], "int"),
				text(w.c["NFTA_DICT_LOOKUP_FIELD"], "string"), be32(w.c["NFTA_DICT_LOOKUP_TYPE"], 8),
				be32(w.c["NFTA_DICT_LOOKUP_SREG"], 1), be32(w.c["NFTA_DICT_LOOKUP_LEN"], 4))))
		b := newBatch(h.nft)
		b.addChain(c)
		b.addRule(c, rule...)
		err := b.commit()
		if bytes > 16384 {
			if !errors.Is(err, unix.E2BIG) {
				t.Errorf("rule of %d bytes: %v, want %v", bytes, err, unix.E2BIG)
			}
			continue
		}
		if err != nil {
			t.Fatalf("rule of %d bytes: %v", bytes, err)
		}
		most := 0
		if err := h.nft.do(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETRULE, unix.NLM_F_DUMP, []byte{0, 0, 0, 0}, func(p part) { most = max(most, len(p.body)) }); err != nil || most < bytes {
			t.Errorf("rule of %d bytes: listed in %d, %v", bytes, most, err)
		}
	}
	h.sweep(t)
}
