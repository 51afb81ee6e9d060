// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

var update = flag.Bool("update", false, "write testdata anew")

// planning plans terms against the suite's schema, whose tables have no maps.
func planning() (*Store, ruletest.Schema) {
	schema := ruletest.NewSchema()
	v := &view{tables: map[string]*table{}}
	for i, t := range schema {
		fields := map[string]int{}
		for n, f := range t.Fields {
			fields[f.Name] = n
			for _, a := range f.Aliases {
				fields[a] = n
			}
		}
		v.tables[t.Name] = &table{handle: &handle{id: uint32(i + 1)}, schema: t, fields: fields}
	}
	s := &Store{dir: &namespace{state: &namespaceState{secret: secret{1, 2}}}}
	s.view.Store(v)
	return s, schema
}

// TestRuleFiles compares what the terms of every rule in nftext/testdata become
// with what is written down beside it: the expressions of nft, the match by its
// label, and the constants that its program is folded with, zeros left out.
func TestRuleFiles(t *testing.T) {
	files, err := ruletest.Files("../nftext/testdata")
	if err != nil {
		t.Fatal(err)
	}
	store, schema := planning()
	for _, name := range files {
		lines, err := ruletest.ReadLines(name)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, l := range lines {
			if l.Canonical == "" {
				continue
			}
			fmt.Fprintln(&out, l.Rule)
			parts, _, err := ruletest.Parts(l.Rule, schema)
			if err != nil {
				t.Fatalf("%s: %v", l.Place, err)
			}
			for _, p := range parts {
				out.WriteString(listing(t, store, p))
			}
		}
		golden := name + ".ebpf"
		if *update {
			if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), out.String()); d != "" {
			t.Errorf("(-%s +planned):\n%s", golden, d)
		}
	}
}

// listing plans a term, as a rule that is only checked.
func listing(t *testing.T, store *Store, p ruletest.Part) string {
	t.Helper()
	target := nftext.Target{Family: unix.NFPROTO_INET, Table: "t", Chain: "c", Check: true, Class: p.Class}
	plan := planner{store: store, check: true}
	var err error
	switch b := p.Bound.(type) {
	case *nftext.Condition:
		err = plan.match(b)
	case *nftext.Write:
		err = plan.write(b)
	case *nftext.Drop:
		err = plan.drop(b)
	default: // refused before there is a plan
		_, err = (&compiler{store: store}).Compile(target, b)
	}
	if err != nil {
		if !errors.Is(err, dict.ErrNotSupported) {
			t.Errorf("%s: %v", p.Term, err)
		}
		return fmt.Sprintf("\t%v\n", err)
	}
	var out strings.Builder
	l := label{text: p.Term.String(), carried: plan.carried != 0}
	for _, t := range plan.tables {
		if t != nil && !slices.Contains(l.tables, t.id) {
			l.tables = append(l.tables, t.id)
		}
	}
	if plan.carried != 0 {
		for _, e := range []expr.Any{loads(plan.carried), &expr.Meta{Key: expr.MetaKeySECMARK, Register: register, SourceRegister: true}} {
			b, err := expr.Marshal(target.Family, e)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "\t[%T %s]\n", e, hex.EncodeToString(b))
		}
	}
	info, err := l.info(0)
	if err != nil {
		t.Fatal(err)
	}
	path, _, _ := strings.Cut(string(info[infoPath:]), "\x00")
	fmt.Fprintf(&out, "\t[match %q]\n\t%s", path, plan.program)
	for _, v := range []any{&plan.condition, &plan.statement} {
		if text := constants(reflect.ValueOf(v).Elem()); text != "" {
			out.WriteString(" " + text)
		}
	}
	if plan.globs.positions > 0 {
		fmt.Fprintf(&out, " globs of %d positions %x", plan.globs.positions, secret{1, 2}.sum(string(plan.globs.marshal())))
	}
	return out.String() + "\n"
}

// constants shows what of a value is not zero.
func constants(v reflect.Value) string {
	if v.IsZero() {
		return ""
	}
	var words []string
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if text := constants(v.Field(i)); text != "" && f.Name != "_" {
				words = append(words, f.Name+" "+text)
			}
		}
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return fmt.Sprintf("%q", strings.TrimRight(string(v.Slice(0, v.Len()).Bytes()), "\x00"))
		}
		for i := range v.Len() {
			if text := constants(v.Index(i)); text != "" {
				words = append(words, fmt.Sprintf("[%d] %s", i, text))
			}
		}
	default:
		return fmt.Sprintf("%#x", v.Interface())
	}
	return "{ " + strings.Join(words, " ") + " }"
}

// TestValueScenes: what nft would work with is refused by name.
func TestValueScenes(t *testing.T) {
	store, schema := planning()
	seen := 0
	for _, scene := range ruletest.ValueScenes() {
		for _, rule := range scene.Rules {
			parts, _, err := ruletest.Parts(rule.Text, schema)
			if err != nil {
				t.Fatalf("%s: %v", rule.Text, err)
			}
			for _, p := range parts {
				if p.Class == 0 {
					continue
				}
				seen++
				target := nftext.Target{Family: unix.NFPROTO_INET, Table: "t", Chain: "c", Class: p.Class, Register: register}
				_, err := (&compiler{store: store}).Compile(target, p.Bound)
				if !errors.Is(err, dict.ErrNotSupported) || !strings.HasPrefix(err.Error(), p.Term.String()+": ") {
					t.Errorf("%s: %v", p.Term, err)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no values")
	}
}
