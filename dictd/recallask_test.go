// SPDX-License-Identifier: MIT

package dictd

import (
	"testing"
	"time"
)

// Work that comes seldom never waits, what does not cease takes its share.
func TestEffort(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	e := effort{at: now}
	now = now.Add(time.Hour)
	work := func(d time.Duration) time.Duration {
		begin := now
		now = now.Add(d)
		return e.spent(begin, now)
	}
	for range 100 {
		if rest := work(100 * time.Millisecond); rest > 0 {
			t.Fatalf("rests %v although it comes once a second", rest)
		}
		now = now.Add(time.Second)
	}
	if rest := work(time.Second); rest > 0 {
		t.Errorf("rests %v behind one that takes long", rest)
	}
	begin, worked := now, time.Duration(0)
	for range 10_000 {
		worked += 20 * time.Millisecond
		now = now.Add(work(20 * time.Millisecond))
	}
	if share := float64(worked) / float64(now.Sub(begin)); share < 0.45 || share > 0.55 {
		t.Errorf("work that does not cease takes %.2f of the time", share)
	}
}
