// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/nftext"
)

// TestGlobs runs the programs of random patterns on random strings, and
// compares with what the reference says.
func TestGlobs(t *testing.T) {
	s := openDir(t, testDir(t))
	if err := s.AddTable(dict.Table{Name: "t", Key: dict.KeyMark, Limit: 300, Fields: []dict.Field{{Name: "s", Type: dict.String}}}); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	letters := func(n int, from string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[rnd.IntN(len(from))]
		}
		return string(b)
	}
	texts := []string{"", "a", "ab", strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 127), strings.Repeat("a", 128), strings.Repeat("ab", 64)}
	for range 120 {
		texts = append(texts, letters(rnd.IntN(12), "ab"), letters(rnd.IntN(dict.MaxString+1), "abc"))
	}
	var rows []dict.Row
	for i, text := range texts {
		rows = append(rows, dict.Row{Key: dict.Mark(uint32(i)), Cells: []dict.Cell{{Field: "s", Value: dict.MustString(text)}}})
	}
	if err := s.Put("t", rows...); err != nil {
		t.Fatal(err)
	}
	sets := [][]string{
		{"*a"}, {"a*"}, {"*"}, {"?"}, {"??*"}, {"*a*b*"}, {"[!a]*"}, {"*[b-c]"}, {"a*a", "b*b"},
		{strings.Repeat("?", 64)}, {strings.Repeat("?", 65)}, {strings.Repeat("?", 128)}, {strings.Repeat("?", 64) + "*"},
		{strings.Repeat("a", 63) + "*"}, {"*" + strings.Repeat("a", 64)}, {strings.Repeat("?*", 64)}, {strings.Repeat("*a", 64)},
		{strings.Repeat("?", 60), "*b", "a*" + strings.Repeat("?", 60)},
	}
	for range 60 {
		var set []string
		for range 1 + rnd.IntN(4) {
			set = append(set, letters(1+rnd.IntN(10), "aab*?"))
		}
		sets = append(sets, set)
	}
	for _, set := range sets {
		quoted := make([]string, len(set))
		for i, p := range set {
			quoted[i] = dict.Quote(p)
		}
		rule := fmt.Sprintf("dict t meta mark s { %s }", strings.Join(quoted, ", "))
		p := program(t, s, rule)
		for i, text := range texts {
			want := uint32(0)
			for _, pattern := range set {
				g, err := nftext.CompileGlob(pattern)
				if err != nil {
					t.Fatal(err)
				}
				if g.Match(text) {
					want = 1
				}
			}
			if got, _ := perRun(t, p, uint32(i), 1); got != want {
				t.Errorf("%s on %q: got %d, want %d", rule, text, got, want)
			}
		}
	}
}

// BenchmarkGlobs is what the worst patterns cost on the longest string.
func BenchmarkGlobs(b *testing.B) {
	s := openDir(b, testDir(b))
	if err := s.AddTable(dict.Table{Name: "t", Key: dict.KeyMark, Limit: 10, Fields: []dict.Field{{Name: "s", Type: dict.String}}}); err != nil {
		b.Fatal(err)
	}
	long := dict.MustString(strings.Repeat("a", dict.MaxString))
	if err := s.Put("t", dict.Row{Key: dict.Mark(1), Cells: []dict.Cell{{Field: "s", Value: long}}}); err != nil {
		b.Fatal(err)
	}
	for _, bm := range []struct{ name, items string }{
		{"literal", `"b"`},
		{"short", `"*b"`},
		{"stars", dict.Quote("*" + strings.Repeat("a*", 63) + "b")},
		{"two words", dict.Quote("*" + strings.Repeat("a", 120) + "b")},
		{"eight words", "{ " + strings.Repeat(dict.Quote("*"+strings.Repeat("a", 100)+"b")+", ", 3) + dict.Quote("*"+strings.Repeat("?", 100)+"b") + " }"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			p := program(b, s, "dict t meta mark s "+bm.items)
			for b.Loop() {
				perRun(b, p, 1, 1000)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/run")
		})
	}
}
