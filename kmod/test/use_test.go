// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// matchOne is an expression that uses the table numbers.
func matchOne() []byte {
	return cat(markKey(), dictExpr(big(exprOp, opMatch), lookup(exprLookup, "numbers", "i", dict.Int, byReg(4)), big(exprCmp, cmpEq), items(lo(dict.IntValue(1)))))
}

// markKey loads the packet's mark as a key.
func markKey() []byte {
	return nest(unix.NFTA_LIST_ELEM, text(unix.NFTA_EXPR_NAME, "meta"), nest(unix.NFTA_EXPR_DATA, big(unix.NFTA_META_KEY, unix.NFT_META_MARK), big(unix.NFTA_META_DREG, 1)))
}

// chain makes a chain without a hook; table or chain may be there.
func (r *ruleset) chain(name string) message {
	return r.message(unix.NFT_MSG_NEWCHAIN, unix.NLM_F_CREATE, text(unix.NFTA_CHAIN_TABLE, "t"), text(unix.NFTA_CHAIN_NAME, name))
}

func (r *ruleset) withoutChain(name string) message {
	return r.message(unix.NFT_MSG_DELCHAIN, 0, text(unix.NFTA_CHAIN_TABLE, "t"), text(unix.NFTA_CHAIN_NAME, name))
}

func (r *ruleset) table() message {
	return r.message(unix.NFT_MSG_NEWTABLE, unix.NLM_F_CREATE, text(unix.NFTA_TABLE_NAME, "t"))
}

func (r *ruleset) withoutTable() message {
	return r.message(unix.NFT_MSG_DELTABLE, 0, text(unix.NFTA_TABLE_NAME, "t"))
}

// replace puts a rule in the place of another.
func (r *ruleset) replace(chain string, handle uint64, exprs ...[]byte) message {
	return r.message(unix.NFT_MSG_NEWRULE, unix.NLM_F_REPLACE, text(unix.NFTA_RULE_TABLE, "t"), text(unix.NFTA_RULE_CHAIN, chain),
		attr(unix.NFTA_RULE_HANDLE, binary.BigEndian.AppendUint64(nil, handle)), nest(unix.NFTA_RULE_EXPRESSIONS, exprs...))
}

// TestUse: a table is in use by the rules that are loaded, and by no others:
// not by those of a transaction that failed, and not a moment longer than the
// rule is there, however it goes.
func TestUse(t *testing.T) {
	newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_INET)
	if err := r.batch(r.table(), r.chain("c"), r.chain("other")); err != nil {
		t.Fatal(err)
	}
	handle := func() uint64 { t.Helper(); return r.list(t, "c")[0].handle }
	add := func() message { return r.rule("c", matchOne()) }
	f.table(t, "numbers", dict.KeyMark, 0, field("i", dict.Int))
	for _, c := range []struct {
		name  string
		do    func() []message
		fails bool
		users uint64 // then
	}{
		{"add and fail", func() []message { return []message{add(), r.failing()} }, true, 0},
		{"add twice and fail", func() []message { return []message{add(), add(), r.failing()} }, true, 0},
		{"fail and add", func() []message { return []message{r.failing(), add()} }, true, 0},
		{"add, delete and fail", func() []message { return []message{add(), r.without("c", 0), r.failing()} }, true, 0},
		{"add with a chain and fail", func() []message {
			return []message{r.chain("new"), r.rule("new", matchOne()), r.failing()}
		}, true, 0},
		{"add", func() []message { return []message{add()} }, false, 1},
		{"delete and fail", func() []message { return []message{r.without("c", handle()), r.failing()} }, true, 1},
		{"delete all and fail", func() []message { return []message{r.without("c", 0), r.failing()} }, true, 1},
		{"replace and fail", func() []message { return []message{r.replace("c", handle(), matchOne()), r.failing()} }, true, 1},
		{"delete table and fail", func() []message { return []message{r.withoutTable(), r.failing()} }, true, 1},
		{"replace", func() []message { return []message{r.replace("c", handle(), matchOne())} }, false, 1},
		{"delete and add", func() []message { return []message{r.without("c", 0), add()} }, false, 1},
		{"add another", func() []message { return []message{add()} }, false, 2},
		{"replace by one without", func() []message { return []message{r.replace("c", handle(), markKey())} }, false, 1},
		{"add and delete all", func() []message { return []message{add(), r.without("c", 0)} }, false, 0},
		{"add in another chain", func() []message { return []message{r.rule("other", matchOne())} }, false, 1},
		{"delete the chain", func() []message { return []message{r.without("other", 0), r.withoutChain("other")} }, false, 0},
		{"add once more", func() []message { return []message{add(), add(), add()} }, false, 3},
		{"delete the table", func() []message { return []message{r.withoutTable()} }, false, 0},
	} {
		if err := r.batch(c.do()...); c.fails != (err != nil) {
			t.Fatalf("%s: %v", c.name, err)
		}
		if n := f.count(t, "numbers", attrUsers); n != c.users {
			t.Errorf("%s: %d users, want %d", c.name, n, c.users)
		}
		_, err := f.do(cmdTableDel, text(attrTable, "numbers"))
		if c.users > 0 {
			if !errors.Is(err, unix.EBUSY) {
				t.Errorf("%s: the table is deleted: %v, want %v", c.name, err, unix.EBUSY)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: delete of a table that nobody uses: %v", c.name, err)
		}
		f.table(t, "numbers", dict.KeyMark, 0, field("i", dict.Int))
	}
}

// TestUseOfDeleted: a rule that is deleted keeps its table alive until no packet
// can be at it, though the table's name may bear another by then.
func TestUseOfDeleted(t *testing.T) {
	h := newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	h.chain(t)
	for range 20 {
		f.table(t, "numbers", dict.KeyMark, 0, field("i", dict.Int))
		if err := f.put(t, "numbers", row(intKey(0), cell("i", dict.IntValue(1)))); err != nil {
			t.Fatal(err)
		}
		if err := r.batch(r.rule("c", matchOne())); err != nil {
			t.Fatal(err)
		}
		h.send(t)
		if err := r.batch(r.without("c", 0)); err != nil {
			t.Fatal(err)
		}
		f.must(t, cmdTableDel, text(attrTable, "numbers"))
	}
}

// TestNamespaceEnds: a namespace ends with tables, rows, sessions and rules that
// use them, and nothing of it stays: the module can go afterwards.
func TestNamespaceEnds(t *testing.T) {
	for range 5 {
		h := newHost(t)
		h.standard(t)
		r := newRuleset(t, unix.NFPROTO_IPV4)
		if err := r.batch(r.without("c", 0)); err != nil {
			t.Fatal(err)
		}
		if err := h.rules(h.compile(t, `dict users dict sessions ct id username quota_exceeded true`), h.compile(t, "dict sessions ct id final true"),
			h.compile(t, "dict hosts ip saddr quota_remaining sub meta length")); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			h.send(t)
		}
		st, err := h.store.Stats(dict.Sessions)
		if err != nil || st.Rows != 1 {
			t.Errorf("sessions: %+v, %v, want one row", st, err)
		}
	}
}
