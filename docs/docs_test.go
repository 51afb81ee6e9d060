// SPDX-License-Identifier: MIT

// Package docs tests the documents: what they show must be so.
package docs

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/nftext"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// words splits a line of shell as far as the documents use it: single quotes.
func words(line string) (w []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			w = append(w, part)
		} else {
			w = append(w, strings.Fields(part)...)
		}
	}
	return w
}

// standard is the schema of the tables that exist from the start.
type standard map[string]dict.Table

func (s standard) Table(name string) (dict.Table, error) {
	if t, ok := s[dict.Name(name)]; ok {
		return t, nil
	}
	return dict.Table{}, fmt.Errorf("table %q: %w", name, dict.ErrNotExist)
}

func tables(t *testing.T) standard {
	t.Helper()
	s := standard{}
	for _, table := range dict.Standard(1000) {
		n, err := table.Normal()
		if err != nil {
			t.Fatal(err)
		}
		s[n.Name] = n
	}
	return s
}

// TestTables compares docs/tables.md with the schemas, both ways.
func TestTables(t *testing.T) {
	row := regexp.MustCompile("^\\| `([^`]+)` \\| (\\S+)(?: \\(default ([^)]+)\\))? \\|(.*?)\\|")
	want, got := []string{}, []string{}
	for name, table := range tables(t) {
		for _, f := range table.Fields {
			def := ""
			if !f.Default.IsZero() {
				def = f.Default.Text()
			}
			want = append(want, fmt.Sprintf("%s.%s %s %s %v", name, f.Name, f.Type, def, f.Aliases))
		}
	}
	section := ""
	for line := range strings.Lines(read(t, "tables.md")) {
		if h, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(h)
		}
		if m := row.FindStringSubmatch(line); m != nil {
			aliases := strings.FieldsFunc(m[4], func(r rune) bool { return strings.ContainsRune("`, ", r) })
			got = append(got, fmt.Sprintf("%s.%s %s %s %v", section, m[1], m[2], m[3], aliases))
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("tables.md lacks, or has otherwise: %s", w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("tables.md has %d fields, the schemas %d", len(got), len(want))
	}
}

// TestWriters wants every field to have a writer; of what dictd writes the name is
// in its source.
func TestWriters(t *testing.T) {
	row := regexp.MustCompile("^\\| `([^`]+)` \\|[^|]*\\|[^|]*\\|(.*)\\|$")
	var source strings.Builder
	err := filepath.WalkDir("../dictd", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	composed := regexp.MustCompile("^(certificate_(subject|issuer)_)|(_inferred)$")
	n := 0
	for line := range strings.Lines(read(t, "tables.md")) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		n++
		writer := strings.TrimSpace(m[2])
		if writer == "" {
			t.Errorf("nobody writes %s", m[1])
		}
		name := m[1]
		if parts := composed.FindStringSubmatch(name); parts != nil {
			name = parts[1] + parts[3]
		}
		if strings.HasPrefix(writer, "dictd") && !strings.Contains(source.String(), `"`+name) && !strings.Contains(source.String(), name+`"`) {
			t.Errorf("%s: dictd's source does not have it", m[1])
		}
	}
	if n < 100 {
		t.Errorf("%d fields", n)
	}
}

// TestRules parses and binds the terms of every rule that a document shows, and
// wants each form of the language among those of rules.md.
func TestRules(t *testing.T) {
	schema := tables(t)
	guests := dict.Table{Name: "guests", Key: dict.KeyEther, Fields: []dict.Field{
		{Name: "until", Type: dict.Int64}, {Name: "paid", Type: dict.Bool, Default: dict.BoolValue(false)},
	}}
	shown := append(tablesOf(t, schema), guests)
	for _, table := range shown {
		n, err := table.Normal()
		if err != nil {
			t.Fatal(err)
		}
		schema[n.Name] = n
	}
	forms := map[string]bool{}
	for _, name := range []string{"rules.md", "architecture.md", "../README.md"} {
		var finder nftext.Finder
		lines := strings.Split(read(t, name), "\n")
		for i, line := range lines[:len(lines)-1] {
			rule, typed := strings.CutPrefix(line, "    dictctl nft add rule ")
			if typed {
				rule = strings.Join(words(rule), " ")
			} else if text := strings.TrimPrefix(line, "    "); !strings.HasPrefix(line, "    add rule ") && !strings.HasPrefix(line, "    define ") {
				continue
			} else {
				rule = text
			}
			if strings.HasPrefix(strings.TrimSpace(lines[i+1]), "Error: ") || strings.HasPrefix(lines[i+1], "                ") { // tested where it is run
				continue
			}
			if typed {
				rule = "add rule " + rule
			}
			spans, err := finder.Find(rule+"\n", nil)
			if err != nil {
				t.Errorf("%s: %s: %v", name, line, err)
			}
			for _, s := range spans {
				bound, err := nftext.Bind(s.Term, schema)
				if err != nil {
					t.Errorf("%s: %s: %v", name, line, err)
					continue
				}
				for _, f := range form(s, bound) {
					forms[f] = true
				}
				if l, ok := bound.(*nftext.Load); ok {
					if _, err := l.Class(s.Use); err != nil {
						t.Errorf("%s: %s: %v", name, line, err)
					}
				}
			}
		}
	}
	for _, f := range wanted() {
		if !forms[f] {
			t.Errorf("no example of: %s", f)
		}
	}
}

// tablesOf returns the tables that rules.md makes for its examples.
func tablesOf(t *testing.T, schema standard) []dict.Table {
	t.Helper()
	made := map[string]dict.Table{}
	for line := range strings.Lines(read(t, "rules.md")) {
		line, ok := strings.CutPrefix(line, "    dictctl table add ")
		if !ok {
			continue
		}
		w := words(line)
		table, there := made[w[0]]
		if !there {
			table = schema[w[0]]
			table.Name = w[0]
		}
		for i := 1; i < len(w); i++ {
			var err error
			switch w[i] {
			case "key":
				i++
				table.Key, err = dict.ParseKeyType(w[i])
			case "open":
				table.Open = true
			case "field":
				f := dict.Field{Name: w[i+1]}
				f.Type, err = dict.ParseType(w[i+2])
				table.Fields = append(slices.Clone(table.Fields), f)
				i += 2
			case "default":
				table.Fields[len(table.Fields)-1].Default = dict.BoolValue(w[i+1] == "true")
				i++
			}
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		made[w[0]] = table
	}
	return slices.Collect(maps.Values(made))
}

// form names what a term is an example of.
func form(s nftext.Span, bound nftext.Bound) (f []string) {
	key := func(k nftext.KeyExpr) string {
		if k.Nested != nil {
			return "key: nested"
		}
		return "key: " + k.Selector.String()
	}
	if s.Variables {
		f = append(f, "variable")
	}
	switch term := s.Term.(type) {
	case *nftext.Match:
		typ := bound.(*nftext.Condition).Type
		f = append(f, key(term.Key), fmt.Sprintf("%s %s", typ, term.Op))
		if term.Set {
			f = append(f, fmt.Sprintf("%s %s set", typ, term.Op))
		}
		if term.Type != 0 {
			f = append(f, fmt.Sprintf("type: %s", typ))
		}
		if term.Table == "" {
			f = append(f, "no table")
		}
		for _, item := range term.Items {
			if item.Quoted {
				f = append(f, "quoted")
			}
			switch {
			case strings.ContainsAny(item.Text, "*?["):
				f = append(f, "pattern")
			case strings.Contains(item.Text, "/"):
				f = append(f, fmt.Sprintf("%s prefix", typ))
			case strings.Contains(item.Text, "-"):
				f = append(f, fmt.Sprintf("%s range", typ))
			}
		}
	case *nftext.Assign:
		source := "a value"
		if term.Source != 0 {
			source = "a selector"
		} else if term.Nested != nil {
			source = "a field"
		}
		f = append(f, key(term.Key), fmt.Sprintf("%s %s", term.Verb, source))
	case *nftext.Flush:
		f = append(f, key(term.Key), "flush")
	case *nftext.Value:
		f = append(f, fmt.Sprintf("value: %s, use %d", bound.(*nftext.Load).Type, s.Use))
	}
	return f
}

// wanted lists the forms that rules.md has to show.
func wanted() []string {
	w := []string{"key: nested", "no table", "quoted", "pattern", "variable", "flush"}
	for _, s := range nftext.Selectors() {
		w = append(w, "key: "+s.String())
	}
	for _, typ := range []dict.Type{dict.Bool, dict.Int, dict.Int64, dict.IPv4, dict.IPv6, dict.Ether, dict.String} {
		w = append(w, "type: "+typ.String())
		ops := []nftext.Op{nftext.Eq, nftext.Ne}
		if typ == dict.Int || typ == dict.Int64 || typ == dict.IPv4 || typ == dict.IPv6 {
			ops = append(ops, nftext.Lt, nftext.Le, nftext.Gt, nftext.Ge)
			w = append(w, fmt.Sprintf("%s range", typ))
		}
		for _, op := range append(ops, nftext.Exists, nftext.Missing) {
			w = append(w, fmt.Sprintf("%s %s", typ, op))
		}
		w = append(w, fmt.Sprintf("%s == set", typ), fmt.Sprintf("%s != set", typ))
	}
	w = append(w, "ipv4_addr prefix", "ipv6_addr prefix")
	for _, verb := range []nftext.Verb{nftext.VerbSet, nftext.VerbAdd, nftext.VerbSub} {
		for _, source := range []string{"a value", "a selector", "a field"} {
			w = append(w, fmt.Sprintf("%s %s", verb, source))
		}
	}
	for _, v := range []struct {
		typ dict.Type
		use []nftext.Use
	}{
		{dict.Int, []nftext.Use{nftext.UseMatch, nftext.UseKey, nftext.UseBits, nftext.UseNumber, nftext.UsePort, nftext.UseElement}},
		{dict.Int64, []nftext.Use{nftext.UseMatch, nftext.UseNumber}},
		{dict.IPv4, []nftext.Use{nftext.UseMatch, nftext.UseAddress}},
		{dict.IPv6, []nftext.Use{nftext.UseMatch, nftext.UseAddress}},
		{dict.String, []nftext.Use{nftext.UseMatch, nftext.UseKey, nftext.UseElement}},
		{dict.Bool, []nftext.Use{nftext.UseMatch, nftext.UseKey, nftext.UseElement}},
		{dict.Ether, []nftext.Use{nftext.UseMatch, nftext.UseKey, nftext.UseElement, nftext.UseLink}},
	} {
		for _, use := range v.use {
			w = append(w, fmt.Sprintf("value: %s, use %d", v.typ, use))
		}
	}
	return w
}

// TestGo: every snippet of go.md stands in the examples, which are compiled,
// compared with their output and loaded.
func TestGo(t *testing.T) {
	examples := read(t, "../nftext/rule/example_test.go")
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "go.md"), -1)
	for _, m := range snippets {
		if !strings.Contains(examples, m[1]) {
			t.Errorf("not in the examples:\n%s", m[1])
		}
	}
	if len(snippets) < 8 {
		t.Errorf("found %d snippets", len(snippets))
	}
	// And every function that the table names is there.
	names := regexp.MustCompile("`([A-Z][A-Za-z0-9]+)`").FindAllStringSubmatch(read(t, "go.md"), -1)
	var source strings.Builder
	files, err := os.ReadDir("../nftext/rule")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "_test.go") && strings.HasSuffix(f.Name(), ".go") {
			source.WriteString(read(t, "../nftext/rule/"+f.Name()))
		}
	}
	for _, m := range names {
		if !regexp.MustCompile(`(?m)^(func|type|func \([^)]*\)) ` + m[1] + `\b`).MatchString(source.String()) {
			t.Errorf("%s is not in nftext/rule", m[1])
		}
	}
}
