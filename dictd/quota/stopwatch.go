// SPDX-License-Identifier: MIT

package quota

import "time"

// stopwatch counts the time in which octets move.
type stopwatch struct {
	octets int64     // those that it has made time of
	looked time.Time // zero: not yet
	moved  time.Time
	ahead  time.Duration // what was fetched then would have lasted so long
	part   time.Duration // counted, and less than a second
}

// Bounds of what counts.
const (
	// pause is how long nothing may move for the time to count still, once
	// something moves again: players fetch ahead, and then rest.
	pause = 30 * time.Second
	// least is how many octets show that something is in use: by fewer, in half a
	// minute, connections tell that they are there.
	least = 1000
	// longPause is how long of a longer pause may count, as far as what was fetched
	// before it would have lasted.
	longPause = 3 * time.Minute
	// slow is how many bytes a player takes for a second at least: 256 kbit/s.
	slow = 32_000
	// maxLook is the most that one look counts, if there was no pause: a daemon that
	// stood still did not see what moved when.
	maxLook = 10 * time.Second
	// maxAway is the same where as much has moved: as long as that would have lasted.
	maxAway = time.Hour
)

// lasts returns how long octets last at least.
func lasts(octets int64) time.Duration {
	return time.Duration(min(octets, slow*int64(maxAway/time.Second))) * time.Second / slow
}

// look notes how many octets have moved, and returns how many seconds count.
func (w *stopwatch) look(octets int64, now time.Time) (seconds int64) {
	last, n := w.looked, octets-w.octets
	w.looked = now
	if last.IsZero() || n < 0 {
		w.octets = octets
	}
	if last.IsZero() || n < least {
		return 0
	}
	w.octets = octets
	since := max(now.Sub(last), 0)
	gap := since
	if !w.moved.IsZero() {
		gap = max(now.Sub(w.moved), 0)
	}
	counts := min(since, max(maxLook, min(lasts(n), maxAway)))
	if gap <= pause {
		counts = gap
	} else {
		counts = max(counts, min(gap, w.ahead))
	}
	w.ahead = min(max(w.ahead-gap, 0)+lasts(n), longPause)
	w.moved = now
	counts += w.part
	seconds = int64(counts / time.Second)
	w.part = counts % time.Second
	return seconds
}
