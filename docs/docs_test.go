// SPDX-License-Identifier: MIT

// Package docs tests the documents: what they show must be so.
package docs

import (
	"fmt"
	"os"
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

// TestRules parses and binds the terms of every rule that a document shows.
func TestRules(t *testing.T) {
	schema := tables(t)
	guests, err := dict.Table{Name: "guests", Key: dict.KeyEther, Fields: []dict.Field{
		{Name: "until", Type: dict.Int64}, {Name: "paid", Type: dict.Bool, Default: dict.BoolValue(false)},
	}}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	schema["guests"] = guests
	for table, field := range map[string]dict.Field{
		dict.Users: {Name: "mark", Type: dict.Int64}, dict.Hosts: {Name: "redirect_address", Type: dict.IPv4},
	} {
		if schema[table], err = schema[table].With(field); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	for _, name := range []string{"rules.md", "architecture.md", "../README.md"} {
		for line := range strings.Lines(read(t, name)) {
			line, ok := strings.CutPrefix(line, "    dictctl nft add rule ")
			if !ok {
				continue
			}
			text := strings.Join(words(line), " ")
			spans, err := nftext.Find("add rule " + text)
			if err != nil {
				t.Errorf("%s: %s: %v", name, line, err)
			}
			for _, s := range spans {
				seen++
				bound, err := nftext.Bind(s.Term, schema)
				if err != nil {
					t.Errorf("%s: %s: %v", name, line, err)
				} else if l, ok := bound.(*nftext.Load); ok {
					if _, err := l.Class(s.Use); err != nil {
						t.Errorf("%s: %s: %v", name, line, err)
					}
				}
			}
		}
	}
	if seen < 12 {
		t.Errorf("found %d terms in the documents", seen)
	}
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
