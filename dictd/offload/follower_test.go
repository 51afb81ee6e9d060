// SPDX-License-Identifier: MIT

package offload

import (
	"fmt"
	"testing"
	"time"

	"nftdict/dictd/rules"
)

// What changes all the time is followed less and less often, and does not hold up what
// does not.
func TestPaces(t *testing.T) {
	p := make(paces)
	start := time.Unix(1_800_000_000, 0)
	var asked []time.Duration
	now := start
	step := func(reasons ...string) (did bool) {
		now = now.Add(100 * time.Millisecond)
		for _, r := range reasons {
			p.changed(r, now)
		}
		if due := p.due(); !due.IsZero() && !due.After(now) {
			p.asked(now)
			return true
		}
		return false
	}
	for now.Before(start.Add(2 * time.Minute)) {
		if step("routes") {
			asked = append(asked, now.Sub(start).Round(time.Second))
		}
	}
	if got := fmt.Sprint(asked); got != "[0s 1s 3s 7s 15s 31s 1m3s 1m35s]" {
		t.Errorf("asked at %v", got)
	}
	if !step("routes", "rules") {
		t.Error("rules wait for routes")
	}
	if step("routes", "rules") {
		t.Error("asked again at once")
	}
	for range 10 {
		step()
	}
	if step("rules") {
		t.Error("asked without a pause, though it was within the last second")
	}
	for range 1000 {
		step("new")
	}
	if len(p) != 1 {
		t.Errorf("%d reasons are kept", len(p))
	}
}

// Connections are asked about soon after the clock, or an element's end, has changed what
// rules say; and when somebody has set the clock.
func TestFollower(t *testing.T) {
	now := time.Now()
	follower := func(m *rules.Moments) *follower {
		f := newFollower(nil)
		f.follows, f.moments, f.until = true, m, now.Add(-behind)
		return f
	}
	f := follower(&rules.Moments{Ends: map[string]time.Time{"inet t s": now.Add(2 * time.Second)}})
	if d := f.pause(now); d != 2*time.Second+behind {
		t.Errorf("it waits for %v", d)
	}
	if f.due(now.Add(time.Second)) {
		t.Error("asked before an element has ended")
	}
	if !f.due(now.Add(2*time.Second + behind)) {
		t.Error("not asked when an element has ended")
	}
	if f.moments != nil {
		t.Error("it is not read when the next one ends")
	}
	f = follower(&rules.Moments{})
	f.changed(map[string]struct{}{rules.OfRules: {}}, now)
	if f.pause(now) != 0 || !f.due(now) || f.due(now) || f.pause(now) != retry {
		t.Error("not asked once when rules have changed")
	}
	f = follower(&rules.Moments{})
	f.follows = false
	f.changed(map[string]struct{}{rules.OfRules: {}}, now)
	if f.due(now) || f.pause(now) != retry {
		t.Error("asked although it is not wanted")
	}
}
