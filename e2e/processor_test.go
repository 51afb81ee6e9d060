// SPDX-License-Identifier: MIT

package e2e

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// reading is what the processor has done, and a program.
type reading struct {
	clock        int64 // nanoseconds
	busy, daemon int64
}

func (r reading) since(before reading) reading {
	return reading{r.clock - before.clock, r.busy - before.busy, r.daemon - before.daemon}
}

// read reads the clocks; pid is dictd's, or 0.
func (c *crossing) read(pid int) (r reading) {
	c.t.Helper()
	clock := func(id int32) int64 {
		var t unix.Timespec
		if err := unix.ClockGettime(id, &t); err != nil {
			c.t.Fatal(err)
		}
		return t.Nano()
	}
	text, err := os.ReadFile("/proc/timer_list")
	if err != nil {
		c.t.Fatal(err)
	}
	r.clock = clock(unix.CLOCK_MONOTONIC)
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != ".idle_sleeptime" && words[0] != ".iowait_sleeptime" {
			continue
		}
		n, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		if r.busy -= n; words[0] == ".idle_sleeptime" {
			r.busy += r.clock // one of each processor
		}
	}
	if r.busy == 0 {
		c.t.Fatal("the kernel does not say how long it was idle")
	}
	if pid != 0 {
		const scheduled = 2 // CPUCLOCK_SCHED, of a process
		r.daemon = clock(int32(^pid)<<3 | scheduled)
	}
	return r
}
