// SPDX-License-Identifier: MIT

package offload

import (
	"fmt"
	"testing"
	"time"

	"nftdict/dictd/internal/testns"
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

// newFollowerAt returns a follower of rules that have been read.
func newFollowerAt(now time.Time, m *rules.Moments) *follower {
	f := newFollower(nil)
	f.follows, f.moments, f.until = true, m, now.Add(-behind)
	return f
}

// Connections are asked about soon after an element's end has changed what rules say, and
// when somebody has changed rules.
func TestFollower(t *testing.T) {
	now := time.Now()
	follower := func(m *rules.Moments) *follower { return newFollowerAt(now, m) }
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

// Connections are asked about soon after the clock has changed what rules say, once, and
// when somebody has set it.
func TestFollowerOfTheClock(t *testing.T) {
	ns := testns.New(t)
	now := time.Now()
	at := now.Add(time.Hour).Truncate(time.Second)
	ns.Run(t, "env", "TZ=UTC", "nft", `add table inet t; add chain inet t c; add rule inet t c meta time >= "`+at.UTC().Format(time.DateTime)+`" drop`)
	moments, err := rules.ReadMoments(ns.FD(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !moments.Clock() {
		t.Fatalf("no rule asks the clock: %+v", moments)
	}
	left := at.Sub(now)
	f := newFollowerAt(now, moments)
	if d := f.pause(now); d != retry { // so that it is seen when somebody sets the clock
		t.Errorf("it waits for %v", d)
	}
	soon := now.Add(left - time.Second)
	if f.due(soon) {
		t.Error("asked before the time has come")
	}
	if d := f.pause(soon); d != time.Second+behind {
		t.Errorf("a second before the time it waits for %v", d)
	}
	if f.due(now.Add(left + behind - time.Millisecond)) {
		t.Error("asked while packets with the old answer may be at rules")
	}
	if !f.due(now.Add(left + behind)) {
		t.Error("not asked when the time has come")
	}
	if f.moments != nil {
		t.Error("it is not read when rules say something else the next time")
	}
	f = newFollowerAt(now.Add(left+behind), moments)
	if f.due(now.Add(left + time.Minute)) {
		t.Error("asked again though nothing has changed")
	}

	for _, c := range []struct {
		what       string
		by, passed time.Duration
		want       bool
	}{
		{"nobody sets it", time.Second, time.Second, false},
		{"it is corrected", time.Second + stepped, time.Second, false},
		{"it is set forward", 2*time.Second + stepped, time.Second, true},
		{"it is set back", -stepped, time.Second, true},
		{"it is set back a little", 2*time.Second - stepped, 2 * time.Second, false},
		{"the time has come", left, left, true},
	} {
		if got := turned(moments, now.Round(0), now.Round(0).Add(c.by), c.passed); got != c.want {
			t.Errorf("%s: asked %v, want %v", c.what, got, c.want)
		}
	}
}
