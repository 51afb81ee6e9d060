// SPDX-License-Identifier: MIT

package nftext_test

import (
	"fmt"
	"strings"
	"testing"

	"nftdict/nftext"
)

// BenchmarkFind reads a file of 10,000 rules, 1,000 of them with a term.
func BenchmarkFind(b *testing.B) {
	var src strings.Builder
	src.WriteString("table inet t {\n\tchain c {\n")
	for i := range 10_000 {
		if i%10 == 0 {
			fmt.Fprintf(&src, "\t\tdict sessions ct id application \"APP%d\" counter drop\n", i)
		} else {
			fmt.Fprintf(&src, "\t\tip saddr 10.0.%d.%d tcp dport { 80, 443 } counter accept\n", i>>8, i&255)
		}
	}
	src.WriteString("\t}\n}\n")
	b.SetBytes(int64(src.Len()))
	for b.Loop() {
		if spans, err := nftext.Find(src.String()); err != nil || len(spans) != 1000 {
			b.Fatal(len(spans), err)
		}
	}
}

// BenchmarkBind parses and binds one rule.
func BenchmarkBind(b *testing.B) {
	schema := newSchema()
	for b.Loop() {
		t, _, err := nftext.Parse("dict users dict sessions ct id username long_string quota-exceeded bool true")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := nftext.Bind(t, schema); err != nil {
			b.Fatal(err)
		}
	}
}
