// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/internal/need"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// ruleBench is a gateway with a store of the suite's tables.
type ruleBench struct {
	*wire
	store    *bpfmap.Store
	dir      string // where the store is
	compiler nftext.Compiler
}

func newRuleBench(tb testing.TB) *ruleBench {
	tb.Helper()
	needBPF(tb)
	need.Program(tb, "nft")
	r := &ruleBench{wire: newWire(tb)}
	r.dir = testDir(tb)
	r.store = r.another(tb)
	for _, t := range ruletest.NewSchema() {
		if t.Limit > 1000 || t.Limit == 0 {
			t.Limit = 1000
		}
		if err := r.store.AddTable(t); err != nil {
			tb.Fatal(err)
		}
	}
	r.compiler = r.store.Compiler()
	return r
}

// another opens the gateway's store once more; it is closed with the test.
func (r *ruleBench) another(tb testing.TB) (s *bpfmap.Store) {
	tb.Helper()
	inside(tb, r.gateway, func() (err error) {
		s, err = bpfmap.Open(bpfmap.Options{Dir: r.dir})
		return err
	})
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
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
	var exprs [][]byte
	for _, text := range texts {
		code, err := r.compiler.Compile(target(), r.bind(tb, text))
		if err != nil {
			tb.Fatalf("%s: %v", text, err)
		}
		defer code.Release()
		exprs = append(exprs, code.Exprs)
	}
	if err := r.load(tb, exprs...); err != nil {
		tb.Fatal(err)
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
	r.send(tb, f.IPv6, 1)
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
			// On a slow machine the rows may have expired by now.
			if err := ruletest.Put(r.store, packet, scene.Rows...); err != nil {
				t.Fatal(err)
			}
			r.send(t, scene.Flow.IPv6, 1)
			rules := r.rules(t)
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
			r.send(t, effect.Flow.IPv6, effect.Packets)
			if err := effect.Check(r.store, packet); err != nil {
				t.Error(err)
			}
			if got := r.rules(t)[0].packets; got != uint64(effect.Packets) {
				t.Errorf("the rule went on for %d packets, want %d", got, effect.Packets)
			}
		})
	}
}

func TestTableInUse(t *testing.T) {
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
		if err := r.store.DeleteTable(name); err != nil {
			t.Error(err)
		}
	}
}

// TestTableInUseByCode: from its compilation on a rule keeps its tables.
func TestTableInUseByCode(t *testing.T) {
	r := newRuleBench(t)
	const text = "dict users dict sessions ct id username quota_exceeded true"
	bound := r.bind(t, text)
	for range 2 {
		code, err := r.compiler.Compile(target(), bound)
		if err != nil {
			t.Fatal(err)
		}
		other, err := r.compiler.Compile(target(), bound)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []*nftext.Code{code, other} {
			for _, name := range []string{dict.Users, dict.Sessions} {
				if err := r.store.DeleteTable(name); !errors.Is(err, dict.ErrBusy) {
					t.Errorf("delete %s: got %v, want %v", name, err, dict.ErrBusy)
				}
			}
			if err := code.Release(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.store.DeleteTable(dict.Users); err != nil {
		t.Fatal(err)
	}
	if _, err := r.compiler.Compile(target(), bound); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("compile: got %v, want %v", err, dict.ErrNotExist)
	}
	if err := r.store.DeleteTable(dict.Sessions); err != nil {
		t.Errorf("a compilation that failed holds the table: %v", err)
	}
}

// TestRefusedRuleBringsNoField: only a rule that the kernel takes brings its
// field to an open table; one that is checked or refused leaves the table as it
// was.
func TestRefusedRuleBringsNoField(t *testing.T) {
	r := newRuleBench(t)
	flow, _ := ruletest.Flows()
	r.fresh(t, flow)
	has := func(field string) bool {
		t.Helper()
		table, err := r.store.Table("loose")
		if err != nil {
			t.Fatal(err)
		}
		return table.Index(field) >= 0
	}
	compile := func(check bool, text string) *nftext.Code {
		t.Helper()
		to := target()
		to.Check = check
		code, err := r.compiler.Compile(to, r.bind(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	release := func(codes ...*nftext.Code) {
		t.Helper()
		for _, c := range codes {
			if err := c.Release(); err != nil {
				t.Fatal(err)
			}
		}
	}
	before, err := r.store.Table("loose")
	if err != nil {
		t.Fatal(err)
	}
	release(compile(true, "dict loose meta mark checked int 5"))
	// A batch whose last rule the kernel refuses.
	first, second := compile(false, "dict loose meta mark refused int 5"), compile(false, "dict loose meta mark worse int set 5")
	if err := r.load(t, first.Exprs, second.Exprs, second.Exprs[:len(second.Exprs)-4]); err == nil {
		t.Fatal("half an expression was taken")
	}
	release(first, second)
	after, err := r.store.Table("loose")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the table has changed (-before +after)\n%s", diff)
	}
	// One of two is taken, and found again under the number it got before.
	first, second = compile(false, "dict loose meta mark refused int 5"), compile(false, "dict loose meta mark worse int set 5")
	if err := r.load(t, first.Exprs); err != nil {
		t.Fatal(err)
	}
	release(second, first)
	if !has("refused") || has("worse") {
		t.Errorf("refused %v, worse %v, want the first alone", has("refused"), has("worse"))
	}
	// The other one comes with a row, or when somebody adds it.
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(r.store.Put("loose", dict.Row{Key: dict.Mark(5), Cells: []dict.Cell{{Field: "worse", Value: dict.IntValue(1)}}}))
	if !has("worse") {
		t.Error("a row is put with the field, and it is not there")
	}
	release(compile(false, "dict loose meta mark third int 5"))
	must(r.store.AddFields("loose", dict.Field{Name: "third"}, dict.Field{Name: "fourth"}))
	if !has("third") || !has("fourth") {
		t.Error("somebody adds the field, and it is not there")
	}
	if err := r.store.AddFields("loose", dict.Field{Name: "third"}); !errors.Is(err, dict.ErrExist) {
		t.Errorf("added twice: %v", err)
	}
}

// TestProgramsDieWithRules: alike terms share a program, which the kernel
// drops with the last rule that holds it.
func TestProgramsDieWithRules(t *testing.T) {
	r := newRuleBench(t)
	flow, _ := ruletest.Flows()
	r.fresh(t, flow)
	const text = "dict sessions ct id application NETFLIX"
	var exprs [][]byte
	var codes []*nftext.Code
	for range 3 {
		code, err := r.compiler.Compile(target(), r.bind(t, text))
		if err != nil {
			t.Fatal(err)
		}
		exprs, codes = append(exprs, code.Exprs), append(codes, code)
	}
	ids, err := bpfmap.Loaded(r.compiler)
	if err != nil || len(ids) != 1 {
		t.Fatalf("programs %v, %v, want one", ids, err)
	}
	if err := r.load(t, exprs...); err != nil {
		t.Fatal(err)
	}
	for _, code := range codes {
		if err := errors.Join(code.Release(), code.Release()); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := bpfmap.Loaded(r.compiler); err != nil || len(left) != 0 {
		t.Errorf("the compiler still holds %v, %v", left, err)
	}
	alive := func() bool {
		p, err := ebpf.NewProgramFromID(ids[0])
		if err == nil {
			p.Close()
		}
		return err == nil
	}
	if !alive() {
		t.Fatal("the rules' program is gone")
	}
	r.chain(t, 0, 0)
	for began := time.Now(); alive(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the program outlived its rules")
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	r := newRuleBench(t)
	in := func(family uint8) nftext.Target {
		return nftext.Target{Family: family, Table: "t", Chain: "c"}
	}
	for _, test := range []struct {
		target nftext.Target
		text   string
		want   string
	}{
		{in(unix.NFPROTO_NETDEV), "dict values meta mark i 5", "family netdev"},
		{in(unix.NFPROTO_ARP), "dict values meta mark flush", "family arp"},
		{in(unix.NFPROTO_INET), "dict sessions ct id session_id set ct mark", "ct mark beside ct id: not supported by the ebpf backend: one of them must be"},
		{in(unix.NFPROTO_INET), "dict values ct mark l add dict numbers iif i", "iif beside ct mark"},
	} {
		_, err := r.compiler.Compile(test.target, r.bind(t, test.text))
		if !errors.Is(err, dict.ErrNotSupported) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %v with %q", test.text, err, dict.ErrNotSupported, test.want)
		}
	}
	term, _, err := nftext.Parse("dict gone ct id f 5")
	if err != nil {
		t.Fatal(err)
	}
	schema := ruletest.Schema{{Name: "gone", Key: dict.KeyCtID, Limit: 5, Fields: []dict.Field{{Name: "f", Type: dict.Int}}}}
	b, err := nftext.Bind(term, schema)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.compiler.Compile(in(unix.NFPROTO_INET), b); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("a table that is gone: %v", err)
	}
}

// TestFamilies loads a rule in each family beside inet.
func TestFamilies(t *testing.T) {
	r := newRuleBench(t)
	for name, family := range map[string]uint8{"ip": unix.NFPROTO_IPV4, "ip6": unix.NFPROTO_IPV6, "bridge": unix.NFPROTO_BRIDGE} {
		code, err := r.compiler.Compile(nftext.Target{Family: family, Table: "t", Chain: "c"}, r.bind(t, "dict devices ether saddr hostname exists"))
		if err != nil {
			t.Fatal(err)
		}
		run(t, r.gateway, fmt.Sprintf("add table %s t; add chain %s t c", name, name), "nft", "-f", "-")
		if err := r.loadFamily(t, family, code.Exprs); err != nil {
			t.Errorf("family %s: %v", name, err)
		}
		if err := code.Release(); err != nil {
			t.Error(err)
		}
	}
}
