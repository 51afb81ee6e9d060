// SPDX-License-Identifier: MIT

package main

// figures are what docs/performance.md shows, in its order.
var figures = []figure{
	{Name: "set one number, beside a bare map update", pkg: "bpfmap", bench: "^BenchmarkRatioSet$", time: "300x", unit: "set/bare", Most: 2},
	{Name: "set one string, beside a bare map update", pkg: "bpfmap", bench: "^BenchmarkRatioSet$", time: "300x", unit: "string/bare"},
	{Name: "put 1000 rows of 4 fields at once", pkg: "bpfmap", bench: "^BenchmarkStore$", time: "500x", line: "batch", unit: "fields/s", Least: 1e6},
	{Name: "one dict rule that finds a string, beside its bare equivalent", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "hit/bare", Most: 1.2},
	{Name: "one dict rule that finds a number, beside its bare equivalent", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "number/bare", Most: 1.2},
	{Name: "one dict rule that finds nothing, beside its bare equivalent", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "absent/bare", Most: 1.2},
}
