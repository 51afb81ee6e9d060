// SPDX-License-Identifier: MIT

package dictd

import (
	"strconv"
	"testing"
	"time"

	"nftdict/dictd/offload"
)

// However much is asked for while nothing is looked at, what waits is bounded, and
// stands for it all.
func TestAskedIsBounded(t *testing.T) {
	everybody := func(r *recall) bool {
		_, all := r.asked[offload.Whom{Kind: offload.All}]
		return all && len(r.asked) == 1 && len(r.named) == 0
	}
	fresh := func() *recall {
		return &recall{asked: make(map[offload.Whom]struct{}), named: make(map[string]struct{})}
	}
	r := fresh()
	for id := range uint32(maxAsked) {
		r.ask([]offload.Whom{offload.Ct(id)})
	}
	if len(r.asked) != maxAsked || everybody(r) {
		t.Fatalf("%d names wait of %d", len(r.asked), maxAsked)
	}
	if r.ask([]offload.Whom{{Kind: offload.OfUser, Name: "bob"}}); !everybody(r) {
		t.Errorf("%d names and %d users wait for one more than %d", len(r.asked), len(r.named), maxAsked)
	}
	r = fresh()
	var users []string
	for i := range maxAsked + 1 {
		users = append(users, strconv.Itoa(i))
	}
	r.name(func(string) []string { return users }, []offload.Whom{{Kind: offload.OfGroup, Name: "staff"}}, nil)
	if !everybody(r) {
		t.Errorf("%d names and %d users wait for a group of %d", len(r.asked), len(r.named), len(users))
	}
}

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
