// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"os"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

// now returns the time, which is the number of instructions where the guest
// counts them.
func now(tb testing.TB) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &t); err != nil {
		tb.Fatal(err)
	}
	return t.Nano()
}

// figure is one line of what is measured.
type figure struct {
	name  string
	value float64
	unit  string
	limit float64 // 0 for none
}

func (f figure) broken() bool { return f.limit != 0 && f.value > f.limit }

// sheet collects the figures of a run.
type sheet struct {
	figures []figure
}

func (s *sheet) add(name string, value float64, unit string, limit float64) {
	s.figures = append(s.figures, figure{name, value, unit, limit})
}

// ratio adds how many times a is b.
func (s *sheet) ratio(name string, a, b, limit float64) { s.add(name, a/b, "x", limit) }

// print writes the figures beside their limits.
func (s *sheet) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\nmeasured\tlimit\t\t  figure\t\n")
	for _, f := range s.figures {
		format, limit, verdict := "%.0f %s", "", ""
		if f.unit == "x" {
			format = "%.2f%s"
		}
		if f.limit != 0 {
			limit = fmt.Sprintf(format, f.limit, f.unit)
		}
		if f.broken() {
			verdict = "BROKEN"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t  %s\n", fmt.Sprintf(format, f.value, f.unit), limit, verdict, f.name)
	}
	w.Flush()
}

// BenchmarkModule measures what docs/performance.md says of the module, prints
// it beside the limits, and fails if one is broken. `vm exec -counted` makes
// nanoseconds instructions.
func BenchmarkModule(b *testing.B) {
	s := new(sheet)
	rules(b, s)
	charges(b, s)
	flips(b, s)
	crowded(b, s)
	forwarding(b, s)
	puts(b, s)
	refusals(b, s)
	b.ReportMetric(0, "ns/op")
	s.print()
	for _, f := range s.figures {
		if f.broken() {
			b.Errorf("%s: %.2f %s, limit %.2f", f.name, f.value, f.unit, f.limit)
		}
	}
}

// mean runs a measurement several times, each on a host of its own, so that
// keys fall into other places of the hashes, and returns the mean.
func mean(b *testing.B, name string, rounds int, f func(*testing.B, *host) float64) float64 {
	sum := 0.0
	b.Run(name, func(b *testing.B) {
		for i := range rounds {
			b.Run(fmt.Sprint(i), func(b *testing.B) {
				time.Sleep(time.Second) // while the kernel frees the host before this one
				v := f(b, newHost(b))
				sum += v
				b.ReportMetric(v, "instr")
				b.ReportMetric(0, "ns/op")
			})
		}
	})
	return sum / float64(rounds)
}
