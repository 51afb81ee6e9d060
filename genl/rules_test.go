// SPDX-License-Identifier: MIT

package genl_test

import (
	"errors"
	"testing"

	"nftdict/dict"
	"nftdict/genl"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// ruleBench is a gateway with the suite's tables.
type ruleBench struct {
	*wire
	store    *genl.Store
	compiler nftext.Compiler
}

func newRuleBench(tb testing.TB) *ruleBench {
	tb.Helper()
	needModule(tb)
	r := &ruleBench{wire: newWire(tb)}
	r.store = openIn(tb, r.gateway)
	for _, t := range ruletest.NewSchema() {
		if err := r.store.AddTable(t); err != nil {
			tb.Fatal(err)
		}
	}
	r.compiler = r.store.Compiler()
	return r
}

// bind parses and binds a term.
func (r *ruleBench) bind(tb testing.TB, text string) nftext.Bound {
	tb.Helper()
	term, n, err := nftext.Parse(text)
	if err != nil || n != len(text) {
		tb.Fatalf("%s: parsed %d bytes: %v", text, n, err)
	}
	b, err := nftext.Bind(term, r.store)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// add compiles terms and loads a rule of each.
func (r *ruleBench) add(tb testing.TB, texts ...string) {
	tb.Helper()
	r.addTo(tb, target().Chain, texts...)
}

func (r *ruleBench) addTo(tb testing.TB, chain string, texts ...string) {
	tb.Helper()
	var exprs [][]byte
	for _, text := range texts {
		code, err := r.compiler.Compile(target(), r.bind(tb, text))
		if err != nil {
			tb.Fatalf("%s: %v", text, err)
		}
		defer code.Release()
		exprs = append(exprs, code.Exprs)
	}
	if err := r.rulesOf(tb, chain, exprs...); err != nil {
		tb.Fatalf("%q: %v", texts, err)
	}
}

// fresh empties chain and tables, and opens the flow.
func (r *ruleBench) fresh(tb testing.TB, f ruletest.Flow) nftext.Packet {
	tb.Helper()
	tables, err := r.store.Tables()
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range tables {
		if _, err := dict.Flush(r.store, t.Name); err != nil {
			tb.Fatal(err)
		}
	}
	r.chain(tb, f.Mark, f.CtMark)
	r.pass(tb, f.IPv6, 1)
	return f.Packet(r.known(tb, f.IPv6))
}

func TestScenes(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	for _, scene := range ruletest.Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			packet := r.fresh(t, scene.Flow)
			if err := ruletest.Put(r.store, packet, scene.Rows...); err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, rule := range scene.Rules {
				texts = append(texts, rule.Text)
			}
			r.add(t, texts...)
			r.pass(t, scene.Flow.IPv6, 1)
			rules := r.list(t)
			if len(rules) != len(scene.Rules) {
				t.Fatalf("%d rules in the chain, want %d", len(rules), len(scene.Rules))
			}
			for i, rule := range scene.Rules {
				if got := rules[i].packets > 0; got != rule.Match {
					t.Errorf("%s: matched %v, want %v", rule.Text, got, rule.Match)
				}
				found := r.compiler.Decompile(target().Family, rules[i].elems)
				if want := r.bind(t, rule.Text).Term().String(); found.Text != want || found.N != len(rules[i].elems)-1 {
					t.Errorf("%s: decompiled to %q of %d elements, want %q of %d", rule.Text, found.Text, found.N, want, len(rules[i].elems)-1)
				}
			}
		})
	}
}

func TestEffects(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	for _, effect := range ruletest.Effects() {
		t.Run(effect.Name, func(t *testing.T) {
			packet := r.fresh(t, effect.Flow)
			if err := ruletest.Put(r.store, packet, effect.Rows...); err != nil {
				t.Fatal(err)
			}
			r.add(t, effect.Text)
			r.pass(t, effect.Flow.IPv6, effect.Packets)
			if err := effect.Check(r.store, packet); err != nil {
				t.Error(err)
			}
			got, want := r.list(t)[0].packets, uint64(effect.Packets)
			if got != want && (got != 0 || r.has(t, effect.Text, packet)) {
				t.Errorf("the rule went on for %d packets, want %d", got, want)
			}
		})
	}
}

// has reports whether a packet has the value that a statement writes. Where it
// has not, nft ends the rule that reads it.
func (r *ruleBench) has(tb testing.TB, text string, p nftext.Packet) bool {
	tb.Helper()
	w, ok := r.bind(tb, text).(*nftext.Write)
	if !ok || w.Source == 0 {
		return true
	}
	_, ok = p[w.Source]
	return ok
}

// TestTableInUse: a table that a rule uses, as its own or on the way to the
// key, stays until the rule goes.
func TestTableInUse(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	flow, _ := ruletest.Flows()
	r.fresh(t, flow)
	r.add(t, "dict users dict sessions ct id username quota_exceeded true")
	for _, name := range []string{dict.Users, dict.Sessions} {
		if err := r.store.DeleteTable(name); !errors.Is(err, dict.ErrBusy) {
			t.Errorf("delete %s: got %v, want %v", name, err, dict.ErrBusy)
		}
	}
	r.chain(t, 0, 0)
	for _, name := range []string{dict.Users, dict.Sessions} {
		// The kernel frees a deleted rule a moment later.
		within(t, "delete "+name, func() error { return r.store.DeleteTable(name) })
	}
}
