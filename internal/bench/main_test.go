// SPDX-License-Identifier: MIT

package main

import "testing"

func TestParse(t *testing.T) {
	results := parse("goos: linux\nBenchmarkRatioSet-2  3  780.2 bare-ns  1.5 set/bare\nBenchmarkStore/batch-2  910  1447408 ns/op  2763561 fields/s\nPASS\n")
	for _, tt := range []struct {
		f    figure
		want float64
	}{
		{figure{unit: "set/bare"}, 1.5},
		{figure{unit: "fields/s", line: "batch"}, 2763561},
	} {
		if got, ok := find(results, tt.f); !ok || got != tt.want {
			t.Errorf("find(%+v) = %v, %v, want %v", tt.f, got, ok, tt.want)
		}
	}
	if _, ok := find(results, figure{unit: "fields/s", line: "set"}); ok {
		t.Error("found a metric of another part")
	}
}

func TestCorpusIsSkipped(t *testing.T) {
	t.Setenv("CORPUS", "")
	rows, err := measure([]figure{{Name: "x", corpus: true, Most: 1}})
	if err != nil || len(rows) != 1 || !rows[0].Kept || rows[0].Skipped == "" {
		t.Errorf("got %+v, %v", rows, err)
	}
	t.Setenv("CORPUS", ".")
	if got := corpus(); len(got) < 2 || got[0] != '/' {
		t.Errorf("the folder is %q", got)
	}
}
