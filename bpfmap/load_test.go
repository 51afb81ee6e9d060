// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nftdict/dict"
)

// BenchmarkLoad compiles conditions of which no two are alike: the median, the
// least, and the first one, which also parses the object.
func BenchmarkLoad(b *testing.B) {
	needBPF(b)
	for _, bm := range []struct{ name, form string }{
		{"number", "dict sessions ct id client_port %d"},
		{"string", `dict sessions ct id application "APP%d"`},
		{"glob", `dict sessions ct id application "*APP%d*"`},
		{"nested", "dict users dict sessions ct id username quota_remaining %d"},
		{"statement", "dict hosts ip saddr quota_remaining set %d"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			s := openDir(b, testDir(b))
			for _, t := range dict.Standard(65536) {
				if err := s.AddTable(t); err != nil {
					b.Fatal(err)
				}
			}
			c := s.Compiler()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				code, err := c.Compile(target(), bound(b, s, fmt.Sprintf(bm.form, len(took))))
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				b.Cleanup(func() { code.Release() })
			}
			first := took[0]
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "us")
			b.ReportMetric(float64(took[0].Microseconds()), "least-us")
			b.ReportMetric(float64(first.Microseconds()), "first-us")
		})
	}
}
