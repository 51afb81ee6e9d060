// SPDX-License-Identifier: MIT

// Package cputime tells what a benchmark took of the processor: other programs
// make the clock on the wall go on, but not this one.
//
// It refuses to tell one goroutine's time from another's: the process is what is
// measured.
package cputime

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Used returns the processor time, of user and system, that the process has
// used.
func Used(tb testing.TB) time.Duration {
	tb.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Report reports the processor time of each operation since start, which Used
// returned, as "cpu-ns/op".
func Report(b *testing.B, start time.Duration) {
	b.Helper()
	b.ReportMetric(float64(Used(b)-start)/float64(b.N), "cpu-ns/op")
}
