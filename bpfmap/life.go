// SPDX-License-Identifier: MIT

package bpfmap

import (
	"time"

	"golang.org/x/sys/unix"
)

// tick returns the present tick of rows' lives.
func tick() uint64 {
	var ts unix.Timespec
	// CLOCK_MONOTONIC is always there.
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return uint64(ts.Nano()) >> tickShift
}

// As in bpf/layout.h.
const (
	generationShift = 28
	tickMask        = 1<<generationShift - 1
	tickShift       = 30
	generationMask  = 1<<(64-generationShift) - 1
)

// isAlive reports whether a row with this word answers at a tick.
func isAlive(word, now uint64) bool {
	end := word & tickMask
	return word != 0 && (end == 0 || now < end)
}

// left returns how long a row with this word still lives at least, in whole
// seconds, not less than one; 0 is without end.
func left(word uint64) time.Duration {
	end := word & tickMask
	if end == 0 {
		return 0
	}
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	d := time.Duration(int64(end-1)<<tickShift - ts.Nano())
	return max((d + time.Second - 1).Truncate(time.Second), time.Second)
}
