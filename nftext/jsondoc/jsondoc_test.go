// SPDX-License-Identifier: MIT

package jsondoc

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestWalk(t *testing.T) {
	src := `{"nftables": [{"metainfo": {"n": 18446744073709551616}}, {"add":{"rule" :
 {"expr": [{"a": [1, -2.5e+3]}, []], "x": "\"{[\u007d"}}}, {"table":{"expr":[7]}}]} {"rule":{"expr":[true]}}`
	var got []string
	err := Walk([]byte(src),
		func(at *Path) bool { return at.Member("expr") && at.Up.Member("rule") },
		func(at *Path, start, end int) error {
			got = append(got, at.String()+" "+src[start:end])
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`nftables[1].add.rule.expr [{"a": [1, -2.5e+3]}, []]`, `rule.expr [true]`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWalkStopsAtTake(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	err := Walk([]byte(`[[1],[2]]`), func(at *Path) bool { return at != nil }, func(*Path, int, int) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestName(t *testing.T) {
	for key, want := range map[string]string{"rule": "rule", "a-b_9": "a-b_9", "": `""`, "a.b": `"a.b"`, "ä": `"ä"`} {
		if got := Name(key); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	n, err := Parse([]byte(` {"a": "x\ty\ud83d\ude00\\", "b": [1, true, false, null], "a": {}} `))
	if err != nil {
		t.Fatal(err)
	}
	if a := n.Children[0]; a.Key != "a" || a.Kind != String {
		t.Errorf("%+v", a)
	} else if text, ok := a.Text(); !ok || text != "x\ty😀\\" {
		t.Errorf("%q %v", text, ok)
	}
	if a := n.Member("a"); a == nil || a.Kind != Object {
		t.Errorf("the last of two members: %+v", a)
	}
	var kinds []Kind
	for _, c := range n.Member("b").Children {
		kinds = append(kinds, c.Kind)
	}
	if d := cmp.Diff([]Kind{Number, True, False, Null}, kinds); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n.Only("a") != nil || n.Member("c") != nil || n.Children[0].Only("a") != nil {
		t.Error("members that are not there")
	}
}

func TestTextRefusesHalves(t *testing.T) {
	for src, want := range map[string]bool{`"\ud800"`: false, `"\udc00x"`: false, `"\ud800\ud800"`: false, `"\ufffd"`: true, `"�"`: true, `"\ud800A"`: false, `5`: false} {
		n, err := Parse([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := n.Text(); ok != want {
			t.Errorf("%s: %q %v", src, text, ok)
		}
	}
}

func TestDepth(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	never := func(*Path) bool { return false }
	if _, err := Parse([]byte(deep)); err != nil {
		t.Error(err)
	}
	if err := Walk([]byte(deep), never, nil); err != nil {
		t.Error(err)
	}
	for _, want := range []func(*Path) bool{never, func(*Path) bool { return true }} {
		if err := Walk([]byte("["+deep+"]"), want, func(*Path, int, int) error { return nil }); !errors.Is(err, ErrSyntax) {
			t.Errorf("walk: %v", err)
		}
	}
	if _, err := Parse([]byte("[" + deep + "]")); !errors.Is(err, ErrSyntax) {
		t.Errorf("parse: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e3,"\u00e4\ud800",true,null]}`, `"\`, `01`, `1.`, `-`, `[1,]`, `{"a"}`, `{"a":1,}`, "\x00", "nul", "\"\xff\"", `"\ud83d\ude00"`, "[]\v"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		n, err := Parse(src)
		want := json.Valid(src) && utf8.Valid(src)
		if (err == nil) != want && len(src) < MaxDepth {
			t.Fatalf("%q: %v, encoding/json: %v", src, err, want)
		}
		walked := Walk(src, func(*Path) bool { return false }, nil)
		if err != nil {
			return
		}
		if walked != nil {
			t.Fatalf("%q: Walk: %v", src, walked)
		}
		if n.Kind == String {
			var text string
			if err := json.Unmarshal(src, &text); err != nil {
				t.Fatal(err)
			}
			if got := unquote(n.Raw); got != text {
				t.Fatalf("%q: %q, want %q", src, got, text)
			}
			if back, err := Parse(Quote(nil, text)); err != nil || unquote(back.Raw) != text {
				t.Fatalf("%q: quoted as %s: %v", text, Quote(nil, text), err)
			}
		}
	})
}

func BenchmarkWalk(b *testing.B) {
	rule := `{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 5, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 5}}, {"counter": {"packets": 0, "bytes": 0}}]}}, `
	src := []byte(`{"nftables": [` + strings.Repeat(rule, 10000) + `0]}`)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if err := Walk(src, func(at *Path) bool { return at.Member("expr") }, func(*Path, int, int) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
