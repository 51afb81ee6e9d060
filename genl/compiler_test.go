// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

var update = flag.Bool("update", false, "write testdata anew")

const goldenFile = "testdata/rules.golden"

// compiling compiles terms against the suite's schema.
type compiling struct {
	schema   ruletest.Schema
	compiler *compiler
}

func newCompiling() *compiling {
	f := &fake{version: familyVersion, answer: func(uint8, []byte) answer { return answer{errno: unix.EEXIST, text: "somebody was faster"} }}
	c := &compiling{ruletest.NewSchema(), &compiler{&Store{tables: map[string]*table{}, pool: &pool{dial: f.dial}}}}
	for _, t := range c.schema {
		c.compiler.store.tables[t.Name] = &table{id: 1, schema: t}
	}
	return c
}

// compile compiles a term for a table of a family.
func (c *compiling) compile(tb testing.TB, family uint8, text string) (*nftext.Code, error) {
	tb.Helper()
	term, n, err := nftext.Parse(text)
	if err != nil || n != len(text) {
		tb.Fatalf("%s: parsed %d bytes: %v", text, n, err)
	}
	bound, err := nftext.Bind(term, c.schema)
	if err != nil {
		tb.Fatal(err)
	}
	return c.compiler.Compile(nftext.Target{Family: family, Table: "t", Chain: "c"}, bound)
}

// TestGolden compares the expressions of rules with those written down: each
// line is an expression of nft in hexadecimal, or ours with its attributes by
// name. They are those of a little-endian machine.
func TestGolden(t *testing.T) {
	golden, err := os.ReadFile(goldenFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	c := newCompiling()
	var out strings.Builder
	for rule := range strings.SplitSeq(string(golden), "\n") {
		if strings.HasPrefix(rule, "\t") || rule == "" {
			continue
		}
		family, text, _ := strings.Cut(rule, " ")
		code, err := c.compile(t, familyNumbers[family], text)
		fmt.Fprintln(&out, rule)
		if err != nil {
			fmt.Fprintf(&out, "\terror: %v\n", err)
			continue
		}
		elems := split(t, code.Exprs)
		for _, e := range elems {
			fmt.Fprintf(&out, "\t[%s %s]\n", e.Name, render(t, e))
		}
		if err := code.Release(); err != nil {
			t.Error(err)
		}
		if found := c.compiler.Decompile(familyNumbers[family], elems); found.Text != canonical(t, text) || found.N != len(elems) {
			t.Errorf("%s: decompiled to %q of %d expressions, want %q of %d", rule, found.Text, found.N, canonical(t, text), len(elems))
		}
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(string(golden), out.String()); d != "" && !*update {
		t.Errorf("(-%s +compiled):\n%s", goldenFile, d)
	}
}

var familyNumbers = map[string]uint8{
	"inet": unix.NFPROTO_INET, "ip": unix.NFPROTO_IPV4, "ip6": unix.NFPROTO_IPV6,
	"bridge": unix.NFPROTO_BRIDGE, "netdev": unix.NFPROTO_NETDEV, "arp": unix.NFPROTO_ARP,
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	term, _, err := nftext.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return term.String()
}

// split takes the elements of a list of expressions apart.
func split(tb testing.TB, exprs []byte) (out []nftext.Element) {
	tb.Helper()
	err := each(exprs, func(a attr) error {
		var e nftext.Element
		err := each(a.data, func(a attr) error {
			switch a.typ {
			case unix.NFTA_EXPR_NAME:
				e.Name = a.text()
			case unix.NFTA_EXPR_DATA:
				e.Data = a.data
			}
			return nil
		})
		out = append(out, e)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// kind tells how an attribute is shown, and what it holds if it is a nest.
type kind struct {
	name string
	how  byte // '{' nest, 'u' number, 's' text, 'x' bytes, '!' flag
	in   func() map[uint16]kind
}

func exprKinds() map[uint16]kind {
	return map[uint16]kind{
		exprOp: {"op", 'u', nil}, exprLookup: {"lookup", '{', lookupKinds}, exprDReg: {"dreg", 'u', nil}, exprCmp: {"cmp", 'u', nil},
		exprItems: {"items", '{', listKinds}, exprValue: {"value", '{', valueKinds}, exprSReg: {"sreg", 'u', nil},
		exprSource: {"source", '{', lookupKinds}, exprLen: {"len", 'u', nil}, exprText: {"text", 's', nil}, exprPacket: {"packet", 'u', nil},
	}
}

func lookupKinds() map[uint16]kind {
	return map[uint16]kind{
		lookupTable: {"table", 's', nil}, lookupField: {"field", 's', nil}, lookupType: {"type", 'u', nil}, lookupSReg: {"sreg", 'u', nil},
		lookupCt: {"ct", '!', nil}, lookupNested: {"nested", '{', lookupKinds}, lookupLen: {"len", 'u', nil},
	}
}

func listKinds() map[uint16]kind {
	return map[uint16]kind{unix.NFTA_LIST_ELEM: {"item", '{', func() map[uint16]kind {
		return map[uint16]kind{itemLo: {"lo", '{', valueKinds}, itemHi: {"hi", '{', valueKinds}, itemTokens: {"tokens", 'x', nil}, itemClasses: {"classes", 'x', nil}}
	}}}
}

func valueKinds() map[uint16]kind {
	out := map[uint16]kind{}
	for _, t := range dict.Types() {
		out[uint16(t)] = kind{t.String(), 'x', nil}
	}
	return out
}

// render shows an expression.
func render(tb testing.TB, e nftext.Element) string {
	if e.Name != exprName {
		return hex.EncodeToString(e.Data)
	}
	return renderAttrs(tb, e.Data, exprKinds())
}

func renderAttrs(tb testing.TB, data []byte, kinds map[uint16]kind) string {
	tb.Helper()
	var words []string
	err := each(data, func(a attr) error {
		k, ok := kinds[a.typ]
		switch {
		case !ok:
			return fmt.Errorf("attribute %d is none", a.typ)
		case k.how == '{':
			words = append(words, k.name+" { "+renderAttrs(tb, a.data, k.in())+" }")
		case k.how == 'u':
			if len(a.data) != 4 {
				return fmt.Errorf("%s has %d bytes", k.name, len(a.data))
			}
			words = append(words, fmt.Sprint(k.name, " ", a.data[3], map[bool]string{true: " and more"}[a.data[0]|a.data[1]|a.data[2] != 0]))
		case k.how == 's':
			words = append(words, fmt.Sprintf("%s %q", k.name, a.text()))
		case k.how == 'x':
			words = append(words, k.name+" "+hex.EncodeToString(a.data))
		default:
			words = append(words, k.name)
		}
		return nil
	})
	if err != nil {
		tb.Error(err)
	}
	return strings.Join(words, " ")
}

// TestAllRules: whatever the suite has compiles, fits, and decompiles among
// other expressions.
func TestAllRules(t *testing.T) {
	var texts []string
	for _, s := range ruletest.Scenes() {
		for _, r := range s.Rules {
			texts = append(texts, r.Text)
		}
	}
	for _, e := range ruletest.Effects() {
		texts = append(texts, e.Text)
	}
	c := newCompiling()
	for _, family := range []uint8{unix.NFPROTO_INET, unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_BRIDGE} {
		for _, text := range texts {
			code, err := c.compile(t, family, text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			term := split(t, code.Exprs)
			others := []nftext.Element{{Name: "meta"}, {Name: "cmp"}, {Name: "payload"}}
			elems := append(append(append([]nftext.Element{}, others...), term...), nftext.Element{Name: "counter"})
			for i := range elems {
				found := c.compiler.Decompile(family, elems[i:])
				switch {
				case i == len(others) && (found.Text != canonical(t, text) || found.N != len(term)):
					t.Errorf("%s: decompiled to %q of %d expressions, want %d", text, found.Text, found.N, len(term))
				case i != len(others) && found.N != 0:
					t.Errorf("%s: decompiled to %q from expression %d", text, found.Text, i-len(others))
				}
			}
		}
	}
}

func TestFamilies(t *testing.T) {
	c := newCompiling()
	for _, text := range []string{"dict sessions ct id final true", "dict values ct mark i 5", "dict values meta mark l set ct mark"} {
		for _, family := range []uint8{unix.NFPROTO_NETDEV, unix.NFPROTO_ARP} {
			if _, err := c.compile(t, family, text); !errors.Is(err, dict.ErrNotSupported) || !strings.Contains(err.Error(), nftext.FamilyWord(family)) {
				t.Errorf("%s in family %s: %v", text, nftext.FamilyWord(family), err)
			}
		}
	}
	if _, err := c.compile(t, unix.NFPROTO_NETDEV, "dict devices ether saddr hostname exists"); err != nil {
		t.Error(err)
	}
}

// TestLength: a module of before 1.2 gets the length of a packet from nft, and rules
// that do so are found again by any.
func TestLength(t *testing.T) {
	c := newCompiling()
	for _, old := range []bool{false, true} {
		c.compiler.store.tables["values"].old = old
		for text, names := range map[string]string{
			"dict values meta mark l sub meta length": "meta dict", "dict values meta mark l set meta length": "meta meta dict",
		} {
			code, err := c.compile(t, unix.NFPROTO_INET, text)
			if err != nil {
				t.Fatal(err)
			}
			want := names
			if old && !strings.Contains(text, " set ") {
				want = "meta " + names
			}
			elems, got := split(t, code.Exprs), ""
			for _, e := range elems {
				got += " " + e.Name
			}
			if got[1:] != want {
				t.Errorf("%s, old %v: %s, want %s", text, old, got[1:], want)
			}
			if found := c.compiler.Decompile(unix.NFPROTO_INET, elems); found.Text != text || found.N != len(elems) {
				t.Errorf("%s, old %v: decompiled to %q of %d", text, old, found.Text, found.N)
			}
		}
	}
}

func TestAttach(t *testing.T) {
	schema := ruletest.NewSchema()
	c := &compiler{}
	sessions, _ := schema.Table(dict.Sessions)
	code, err := c.Attach(nftext.Target{Family: unix.NFPROTO_INET}, sessions)
	if err != nil {
		t.Fatal(err)
	}
	elems := split(t, code.Exprs)
	want := fmt.Sprintf(`op %d lookup { table "sessions" ct }`, opAttach)
	if len(elems) != 1 || render(t, elems[0]) != want {
		t.Errorf("got %v, want %s", elems, want)
	}
	if found := c.Decompile(unix.NFPROTO_INET, elems); found.N != 0 {
		t.Errorf("decompiled to %q", found.Text)
	}
	hosts, _ := schema.Table(dict.Hosts)
	if _, err := c.Attach(nftext.Target{Family: unix.NFPROTO_INET}, hosts); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("attach to hosts: %v, want %v", err, dict.ErrInvalid)
	}
}
