// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"slices"
	"strings"
	"testing"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/internal/need"
	"nftdict/nftext"
)

// verifiedMost is how many instructions the kernel may look at before it takes
// a program. It refuses at a million, but kernels differ in what they look at
// twice, and users wait for it.
const verifiedMost = 100_000

// formTables are tables of every type of key with fields of every type.
func formTables() []dict.Table {
	var tables []dict.Table
	for _, k := range []dict.KeyType{dict.KeyCtID, dict.KeyMark, dict.KeyAddress, dict.KeyEther, dict.KeyString} {
		tables = append(tables, dict.Table{Name: "by_" + k.String(), Key: k, Limit: 100, Timeout: 60e9, Fields: []dict.Field{
			{Name: "b", Type: dict.Bool}, {Name: "i", Type: dict.Int}, {Name: "l", Type: dict.Int64},
			{Name: "a4", Type: dict.IPv4}, {Name: "a6", Type: dict.IPv6}, {Name: "a", Type: dict.Address},
			{Name: "e", Type: dict.Ether}, {Name: "s", Type: dict.String},
			{Name: "dl", Type: dict.Int64, Default: dict.Int64Value(7)}, {Name: "ds", Type: dict.String, Default: dict.MustString("none")},
		}}, dict.Table{Name: "open_" + k.String(), Key: k, Limit: 100, Open: true})
	}
	return tables
}

// formKeys are ways to a row, in tables that are open or not: the first few for
// every form, the others for some.
var (
	formKeys  = []string{"by_mark meta mark", "by_string dict by_string dict by_address ip6 saddr s ds", "open_string dict open_string dict open_address ip saddr s long_string s long_string"}
	otherKeys = []string{
		"by_ct_id ct id", "open_ct_id ct id", "open_mark meta mark", "by_address ip saddr", "by_address ip6 daddr", "by_ether_addr ether saddr",
		"by_mark dict by_mark meta mark dl", "by_string dict by_ct_id ct id s", "by_string dict by_address ip saddr ds",
	}
	otherForms = []string{"l sub meta length", "i add meta length", "l sub dict by_mark meta mark dl", "flush", "i 5", "s != \"*some*\"", "s set text"}
)

var formStatements = []string{
	"b set true", "i set 5", "l set -5", "a4 set 10.0.0.1", "a6 set ::1", "e set 02:00:00:00:00:01", "s set text",
	"l set ct id", "l set meta mark", "i set meta length", "l set meta priority", "a set ip saddr", "a set ip6 saddr", "a4 set ip daddr", "e set ether saddr",
	"s set dict by_ct_id ct id s", "s set dict by_string dict by_string dict by_address ip saddr s s ds", "l set dict by_mark meta mark dl", "a set dict by_ether_addr ether saddr a",
	"i add 5", "i sub 5", "l add -5", "l sub 5", "dl add 5", "dl sub 5",
	"i add meta length", "i sub meta length", "l add meta length", "l sub meta length", "dl sub meta length", "i sub meta priority", "l sub meta mark", "l add ct id", "l sub ct id",
	"i sub dict by_mark meta mark l", "l add dict by_mark meta mark dl", "l sub dict by_string dict by_string dict by_address ip saddr s s l", "flush",
}

var formConditions = []string{
	"b true", "i 5", "i != 5", "l < 5", "l { 1, 2, 3-7, 9 }", "dl 7", "a4 10.0.0.0/8", "a6 fe80::/10", "a6 != { ::1, ::2-::5 }", "e 02:00:00:00:00:01",
	"s text", "s != text", "ds none", `s { "one", "two" }`, `s "*some*"`, `s != "a?c*[d-f]"`, "s missing", "l exists",
	`s { "one", "*a*", "?b*", "` + strings.Repeat("c*", 20) + `", "` + strings.Repeat("ab?[e-f]", 15) + `*", "` + strings.Repeat("ab?[e-f]", 15) + `" }`,
}

// TestVerified loads a program of every form that a term may have.
func TestVerified(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	for _, table := range formTables() {
		if err := s.AddTable(table); err != nil {
			t.Fatal(err)
		}
	}
	programs, most, which := 0, uint32(0), ""
	load := func(key, what string) {
		text := "dict " + key + " " + what
		if strings.HasPrefix(key, "open_") {
			text = "dict " + key + " " + typed(what)
		}
		n := verified(t, s, text)
		if n > verifiedMost {
			t.Errorf("%s: the kernel looks at %d instructions, want at most %d", text, n, verifiedMost)
		}
		if programs++; n > most {
			most, which = n, text
		}
	}
	// An emulated machine takes seconds for each: it loads every form with one of
	// the keys, and every key with one of the forms.
	all := need.Promised("long")
	for i, key := range formKeys {
		for j, what := range slices.Concat(formStatements, formConditions) {
			if all || i == j%len(formKeys) {
				load(key, what)
			}
		}
	}
	for i, key := range otherKeys {
		for j, what := range otherForms {
			if all || j == i%len(otherForms) {
				load(key, what)
			}
		}
	}
	t.Logf("%d programs, the greatest of %d instructions: %s", programs, most, which)
}

// TestFolded: what is left of conditions' programs is small. Many globs at once
// are left whole.
func TestFolded(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	for _, table := range formTables() {
		if err := s.AddTable(table); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range formKeys {
		for _, what := range formConditions[:len(formConditions)-1] {
			if strings.HasPrefix(key, "open_") {
				what = typed(what)
			}
			const most = 600
			n, err := s.Folded(bound(t, s, "dict "+key+" "+what).(*nftext.Condition))
			if err != nil || n > most {
				t.Errorf("%s: %d instructions, %v, want at most %d", key+" "+what, n, err, most)
			}
		}
	}
}

// typed names the type of the field, as open tables want it.
func typed(what string) string {
	field, rest, _ := strings.Cut(what, " ")
	types := map[string]string{
		"b": "bool", "i": "int", "l": "int64", "dl": "int64", "a4": "ipv4_addr", "a6": "ipv6_addr", "a": "address", "e": "ether_addr", "s": "long_string", "ds": "long_string",
	}
	if types[field] == "" {
		return what
	}
	return field + " " + types[field] + " " + rest
}

// verified loads the program of a term and returns how many instructions the
// kernel looked at.
func verified(t *testing.T, s *bpfmap.Store, text string) uint32 {
	t.Helper()
	p, err := s.Program(bound(t, s, text))
	if err != nil {
		t.Errorf("%s: %.200v", text, err)
		return 0
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		t.Fatal(err)
	}
	count, ok := info.VerifiedInstructions()
	if !ok {
		t.Fatal("the kernel does not tell how many instructions it looked at")
	}
	return count
}
