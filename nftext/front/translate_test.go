// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

const (
	matchTerm     = "dict sessions ct id application 7"
	statementTerm = "dict sessions ct id application set 7"
)

// ruleMessage returns a NEWRULE message with that list of elements.
func ruleMessage(seq uint32, exprs []byte) []byte {
	b := make([]byte, ruleHeader)
	binary.NativeEndian.PutUint16(b[4:], msgNewRule)
	binary.NativeEndian.PutUint32(b[8:], seq)
	b[msgHeader] = unix.NFPROTO_INET
	b = appendAttr(b, unix.NFTA_RULE_TABLE, []byte("t\x00"))
	b = appendAttr(b, unix.NFTA_RULE_CHAIN, []byte("chain\x00"))
	b = appendAttr(b, unix.NFTA_RULE_EXPRESSIONS|unix.NLA_F_NESTED, exprs)
	b = appendAttr(b, unix.NFTA_RULE_USERDATA, []byte("user"))
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}

// otherMessage returns a message that translation has no business with.
func otherMessage(typ uint16, body string) []byte {
	b := make([]byte, msgHeader)
	binary.NativeEndian.PutUint16(b[4:], typ)
	b = append(b, body...)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return pad4(b)
}

func fakeCompile(t testing.TB) compileFunc {
	return newCodes(fakeCodec{}).compile
}

func TestCompileBatchRoundTrip(t *testing.T) {
	table := newTerms()
	native := appendElement(nil, "counter", appendAttr(nil, 1, make([]byte, 8)))
	exprs := appendPlaceholder(native, table.intern(Match, matchTerm))
	exprs = append(exprs, native...)
	exprs = appendPlaceholder(exprs, table.intern(Statement, statementTerm))
	batch := otherMessage(unix.NFNL_MSG_BATCH_BEGIN, "begin")
	batch = append(batch, ruleMessage(3, exprs)...)
	batch = append(batch, ruleMessage(4, native)...)
	batch = append(batch, otherMessage(unix.NFNL_MSG_BATCH_END, "end")...)

	out, moved, err := table.compileBatch(batch, fakeCompile(t))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out, table.mark) || bytes.Equal(out, batch) {
		t.Error("placeholders are still there")
	}
	if len(moved[3]) != 3 || len(moved) != 1 {
		t.Errorf("moved %v, want two terms and the user data in message 3", moved)
	}
	back, seen, err := table.decompileReply(out, fakeCodec{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(batch, back); d != "" {
		t.Errorf("round trip (-want +got):\n%s", d)
	}
	if seen == nil || seen.text != matchTerm {
		t.Errorf("seen %+v, want %q", seen, matchTerm)
	}
}

// nft shows nothing of a rule with an expression it does not know, so somebody has
// to say so.
func TestDecompileOverlooked(t *testing.T) {
	table := newTerms()
	native := appendElement(nil, "counter", appendAttr(nil, 1, make([]byte, 8)))
	for _, exprs := range [][]byte{native, appendPlaceholder(bytes.Clone(native), table.intern(Match, matchTerm))} {
		batch, _, err := table.compileBatch(ruleMessage(1, exprs), fakeCompile(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := table.decompileReply(batch, fakeCodec{}, nil); err != nil || table.complete() != nil {
			t.Fatalf("%v, %v", err, table.complete())
		}
	}
	b := ruleMessage(1, appendElement(native, exprDict, appendAttr32(nil, 1, 5)))
	if out, seen, err := table.decompileReply(b, fakeCodec{}, nil); err != nil || seen != nil || !bytes.Equal(out, b) {
		t.Errorf("%v, %v, %q", err, seen, out)
	}
	if err := table.complete(); !errors.Is(err, dict.ErrNotSupported) || !strings.Contains(err.Error(), `table "t", chain "chain"`) {
		t.Errorf("have %v", err)
	}
}

func TestCompileBatchTarget(t *testing.T) {
	table := newTerms()
	batch := ruleMessage(1, appendPlaceholder(nil, table.intern(Match, matchTerm)))
	var got Target
	_, _, err := table.compileBatch(batch, func(t Target, _ string) ([]byte, error) {
		got = t
		return nil, nil
	})
	if want := (Target{Family: unix.NFPROTO_INET, Table: "t", Chain: "chain"}); err != nil || got != want {
		t.Errorf("target %+v, %v, want %+v", got, err, want)
	}
}

func TestCompileBatchRefuses(t *testing.T) {
	table := newTerms()
	e := table.intern(Match, matchTerm)
	placeholder := appendPlaceholder(nil, e)

	// A term that does not compile becomes what no kernel takes.
	out, _, err := table.compileBatch(ruleMessage(1, placeholder), func(Target, string) ([]byte, error) {
		return nil, errors.New("no")
	})
	if err != nil || !bytes.Contains(out, appendRefused(nil)) || bytes.Contains(out, table.mark) || table.failed(e) == nil {
		t.Errorf("failed term: %v, %v, %q", err, table.failed(e), out)
	}

	huge := func(Target, string) ([]byte, error) { return appendElement(nil, "x", make([]byte, 40000)), nil }
	for name, batch := range map[string][]byte{
		"outside of a rule":   otherMessage(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWSET, e.token),
		"half a placeholder":  ruleMessage(1, placeholder[len(placeholder)/2&^3:]),
		"in another element":  ruleMessage(1, appendElement(nil, "range", []byte(e.token))),
		"rule over 64 KiB":    ruleMessage(1, append(append([]byte(nil), placeholder...), placeholder...)),
		"cut short":           ruleMessage(1, placeholder)[:60],
		"after the last rule": append(ruleMessage(1, placeholder), e.token...),
	} {
		if out, _, err := table.compileBatch(batch, huge); err == nil {
			t.Errorf("%s: %q", name, out)
		}
	}
}

func TestMovesBack(t *testing.T) {
	m := moves{1: {{newAt: 40, newEnd: 100, oldAt: 40, oldEnd: 60}, {newAt: 120, newEnd: 130, oldAt: 80, oldEnd: 100}}}
	for off, want := range map[int]int{20: 20, 40: 40, 99: 40, 100: 60, 119: 79, 120: 80, 129: 80, 130: 100, 200: 170} {
		if got := m.back(1, off); got != want {
			t.Errorf("offset %d: %d, want %d", off, got, want)
		}
		if got := m.back(2, off); got != off {
			t.Errorf("offset %d of another message: %d", off, got)
		}
	}
}

func TestSplit(t *testing.T) {
	one, two := otherMessage(20, "one"), otherMessage(21, "second")
	both := append(append([]byte(nil), one...), two...)
	for size, want := range map[int]int{len(both): len(both), len(both) - 1: len(one), len(one): len(one), len(one) - 1: 0} {
		head, tail := split(both, size)
		if len(head) != want || !bytes.Equal(append(append([]byte(nil), head...), tail...), both) {
			t.Errorf("split at %d: %d and %d bytes, want %d", size, len(head), len(tail), want)
		}
	}
}

// hideAll hides the terms of the fake codec.
func hideAll(table *terms, src string) ([]byte, bool, error) {
	return newTexts(table, fakeCodec{}, options{}).hide("", []byte(src))
}

func TestHide(t *testing.T) {
	table := newTerms()
	for name, src := range map[string]string{
		"one":        "add rule ip t c " + matchTerm + " drop",
		"tight":      "{" + matchTerm + ";}",
		"two":        matchTerm + "\n" + statementTerm + "\n",
		"two lines":  "a dict sessions \\\n\tct id application 7 b\nc",
		"many lines": "dict \\\nsessions \\\nct id\\\n application \\\n7\n",
		"short":      "dict s ct id a 1 tail",
	} {
		out, changed, err := hideAll(table, src)
		if err != nil || !changed || bytes.Contains(out, []byte("dict")) {
			t.Errorf("%s: %q, %v, %v", name, out, changed, err)
		}
		want, got := strings.Split(src, "\n"), strings.Split(string(out), "\n")
		if len(want) != len(got) {
			t.Errorf("%s: %d lines became %d", name, len(want), len(got))
			continue
		}
		for i := range want {
			if len(want[i]) != len(got[i]) && name != "short" && name != "many lines" {
				t.Errorf("%s: line %q became %q", name, want[i], got[i])
			}
		}
	}
	for _, src := range []string{"add rule ip t c # " + matchTerm, "comment \"" + matchTerm + "\"", "dictionary", ""} {
		if out, changed, err := hideAll(table, src); err != nil || changed || string(out) != src {
			t.Errorf("%q: %q, %v, %v", src, out, changed, err)
		}
	}
}

func TestListing(t *testing.T) {
	table := newTerms()
	m, s := table.intern(Match, matchTerm), table.intern(Statement, statementTerm)
	text := fmt.Sprintf("a meta ibrname %q b ibrname %q\nquota name %q quota name %s\n\nno newline %s", m.token, m.token, s.token, s.token, table.mark)
	want := fmt.Sprintf("a %s b %s\n%s %s\n\nno newline %s", matchTerm, matchTerm, statementTerm, statementTerm, table.mark)
	for size := 1; size <= len(text); size++ {
		var b bytes.Buffer
		l := &listing{terms: table, to: &b}
		for at := 0; at < len(text); at += size {
			if _, err := l.Write([]byte(text[at:min(at+size, len(text))])); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil || b.String() != want {
			t.Fatalf("in pieces of %d: %v\n%s\nwant\n%s", size, err, b.String(), want)
		}
	}
	for _, bad := range []string{m.token, "oifname " + m.token, `ibrname "` + m.token, "quota name " + m.token} {
		var b bytes.Buffer
		l := &listing{terms: table, to: &b}
		_, _ = l.Write([]byte(bad + "\n"))
		if err := l.Close(); err == nil || b.Len() > 0 {
			t.Errorf("%q: printed %q", bad, b.String())
		}
	}
}

// Of a rule with two names where the user's own has what would carry the first,
// the carrier is told from the placeholder of the second.
func TestListingCarriers(t *testing.T) {
	table := newTerms()
	value := func(text string, n int) *term {
		return table.entry(termKey{kind: Value, text: text, carrier: carrier{class: Name, n: n}})
	}
	one, two := value("dict t ct id a", 1), value("dict t ct id b", 2)
	for _, meta := range []string{"", "meta "} {
		line := fmt.Sprintf(`obrname "x" %sibrname %q %sibrname %q %sibrname . %soifkind @s drop`, meta, one.token, meta, two.token, meta, meta)
		got, err := table.reveal([]byte(line))
		if want := `obrname "x" dict t ct id a . dict t ct id b @s drop`; err != nil || string(got) != want {
			t.Errorf("%s: %v: %s, want %s", line, err, got, want)
		}
	}
}

func TestReadOptions(t *testing.T) {
	for args, want := range map[string]options{
		"list ruleset":              {command: 0},
		"-a list ruleset":           {command: 1},
		"-f -":                      {file: "-", stdin: true, command: 2},
		"-ef -":                     {file: "-", stdin: true, command: 2},
		"-f- -c":                    {file: "-", stdin: true, command: 2},
		"--file=/dev/stdin":         {file: "/dev/stdin", stdin: true, command: 1},
		"--fi - -j":                 {file: "-", stdin: true, json: true, command: 3},
		"--handle --json list -i":   {json: true, command: 2},
		"-d eval -D i=j -I j -o x":  {debug: true, optimize: true, command: 7, defines: []string{"i=j"}, paths: []string{"j"}},
		"--define=a=b --incl x -Iy": {command: 4, defines: []string{"a=b"}, paths: []string{"x", "y"}},
		"--interactive":             {interactive: true, command: 1},
		"-naj list":                 {json: true, command: 1},
		"-- -j":                     {command: 1},
		"--numeric list --bogus=-j": {command: 1},
	} {
		if got := readOptions(strings.Fields(args)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", args, got, want)
		}
	}
}

func FuzzCompileBatch(f *testing.F) {
	table := newTerms()
	table.mark = []byte("dfuzz0") // so that a corpus keeps its meaning
	placeholder := appendPlaceholder(nil, table.intern(Match, matchTerm))
	placeholder = appendPlaceholder(placeholder, table.intern(Statement, statementTerm))
	f.Add(ruleMessage(1, placeholder))
	f.Add(append(otherMessage(16, "x"), ruleMessage(2, appendElement(placeholder, "counter", nil))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, moved, err := table.compileBatch(b, fakeCompile(t))
		if err != nil {
			return
		}
		if e, _ := table.find(out); e != nil {
			t.Errorf("a placeholder is left in %q", out)
		}
		if len(moved) == 0 && !bytes.HasPrefix(out, b) {
			t.Errorf("nothing moved, yet\n%q became\n%q", b, out)
		}
	})
}

func FuzzDecompileReply(f *testing.F) {
	code, err := fakeCodec{}.Compile(Target{}, matchTerm)
	if err != nil {
		f.Fatal(err)
	}
	rule := ruleMessage(1, code.Exprs)
	f.Add(rule)
	e := make([]byte, msgHeader+4)
	binary.NativeEndian.PutUint16(e[4:], unix.NLMSG_ERROR)
	binary.NativeEndian.PutUint16(e[6:], unix.NLM_F_ACK_TLVS)
	binary.NativeEndian.PutUint32(e[8:], 1)
	e = append(e, rule...)
	e = appendAttr(e, unix.NLMSGERR_ATTR_OFFS, []byte{60, 0, 0, 0})
	binary.NativeEndian.PutUint32(e, uint32(len(e)))
	f.Add(e)
	moved := moves{1: {{newAt: 48, newEnd: 80, oldAt: 48, oldEnd: 60}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, seen, err := newTerms().decompileReply(b, fakeCodec{}, moved)
		if err != nil {
			return
		}
		for len(out) > 0 {
			m, rest, err := nextMessage(out)
			if err != nil {
				t.Fatalf("%v: in %q", err, out)
			}
			if m.typ == msgNewRule && seen != nil {
				if _, err := readRule(m); err != nil {
					t.Fatal(err)
				}
			}
			out = rest
		}
	})
}

func FuzzHide(f *testing.F) {
	f.Add("add rule ip t c " + matchTerm + " drop")
	f.Add("dict s \\\n ct id a \\\n 5 # " + matchTerm)
	f.Add("add rule ip t c meta mark set dict s ct id v_int ip saddr . dict s \\\n ct id v_name vmap @x")
	f.Fuzz(func(t *testing.T, src string) {
		table := newTerms()
		out, changed, err := hideAll(table, src)
		if err != nil {
			return
		}
		if !changed && string(out) != src {
			t.Errorf("%q became %q", src, out)
		}
		if a, b := strings.Count(src, "\n"), bytes.Count(out, []byte("\n")); a != b {
			t.Errorf("%d lines became %d", a, b)
		}
		if strings.Contains(src, "\n") {
			return
		}
		if l, ok := table.source(place{line: 1}, string(out)); changed && (!ok || l.shown != src) {
			t.Errorf("%q was shown as %q", src, l.shown)
		}
	})
}

func FuzzRestore(f *testing.F) {
	f.Add("f:1:17-23: Error: Could not process rule: Invalid argument\nadd rule ip t c @ drop\n                ^^^^^^^~~\n", 7, 30)
	f.Add("Error: x\n@@\n^^\n", 0, 0)
	f.Fuzz(func(t *testing.T, text string, from, to int) {
		table := newTerms()
		hidden, _, _ := hideAll(table, matchTerm)
		e := table.intern(Match, matchTerm)
		table.fail(e, &TextError{Offset: from, End: to, Err: errors.New("no")})
		out := table.restore([]byte(strings.ReplaceAll(text, "@", string(hidden))))
		if bytes.Contains(out, []byte(e.token)) {
			t.Errorf("a placeholder is shown:\n%s", out)
		}
	})
}
