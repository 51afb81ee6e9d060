// SPDX-License-Identifier: MIT

package quota

import "time"

// stopwatch counts the time in which octets move.
type stopwatch struct {
	octets int64
	looked time.Time // zero: not yet
	moved  time.Time
	part   time.Duration // counted, and less than a second
}

// Bounds of what counts.
const (
	// pause is how long nothing may move for the time to count still, once
	// something moves again: players fetch ahead, and then rest.
	pause = 30 * time.Second
	// maxLook is the most that one look counts, if there was no pause: a daemon that
	// stood still did not see what moved when.
	maxLook = 10 * time.Second
)

// look notes how many octets have moved, and returns how many seconds count.
func (w *stopwatch) look(octets int64, now time.Time) (seconds int64) {
	last, moved := w.looked, octets != w.octets
	w.looked, w.octets = now, octets
	if last.IsZero() || !moved {
		return 0
	}
	counts := min(max(now.Sub(last), 0), maxLook)
	if gap := now.Sub(w.moved); !w.moved.IsZero() && gap > 0 && gap <= pause {
		counts = gap
	}
	w.moved = now
	counts += w.part
	seconds = int64(counts / time.Second)
	w.part = counts % time.Second
	return seconds
}
