// SPDX-License-Identifier: MIT

package ledger

import (
	"errors"
	"testing"
	"time"
)

// A clock that is wrong for a while, ahead or before it is set, takes no history
// away, and what moves afterwards is written down under the right hour.
func TestClockIsWrong(t *testing.T) {
	right := time.Date(2026, 3, 1, 10, 30, 0, 0, time.UTC)
	for name, wrong := range map[string]time.Time{"ahead": right.AddDate(10, 0, 0), "not set": time.Unix(30, 0).UTC()} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, t.TempDir())
			f := w.flow(1, inside, outside)
			for i, now := range []time.Time{right.AddDate(0, 0, -3), right.AddDate(0, 0, -2), wrong, wrong.Add(time.Hour), wrong.Add(2 * time.Hour), right, right.Add(time.Hour)} {
				w.now = now
				if i == 2 {
					w.crash() // as after a start of the machine
				}
				move(f, 1, 10)
				w.poll()
			}
			for period, want := range map[Period]int{Hour: 4, Day: 3} {
				all := w.usage(Query{Period: period, Since: right.AddDate(0, 0, -30), Till: right.AddDate(0, 0, 30)})
				if len(all) != want {
					t.Errorf("%d periods of kind %d, want %d: %+v", len(all), period, want, all)
				}
			}
		})
	}
}

// Of each kind the last periods are kept, and no more.
func TestPeriodsAreBounded(t *testing.T) {
	w := newWorld(t, t.TempDir())
	f := w.flow(1, inside, outside)
	for range keepHours + 10 {
		move(f, 1, 10)
		w.poll()
		w.now = w.now.Add(time.Hour)
	}
	if hours := w.usage(Query{Period: Hour}); len(hours) < keepHours || len(hours) > keepHours+1 {
		t.Errorf("%d hours, want %d and the one under way", len(hours), keepHours)
	}
	if days := w.usage(Query{Period: Day}); len(days) != (keepHours+10+10)/24+1 {
		t.Errorf("%d days", len(days))
	}
}

// Connections that begin after the clock was put back are no older ones.
func TestClockIsPutBack(t *testing.T) {
	w := newWorld(t, "")
	w.poll()
	w.now = w.now.AddDate(0, 0, -1)
	f, g := w.flow(1, inside, outside), w.flow(2, inside, outside)
	g.Orig.SrcPort = 1
	move(f, 100, 200)
	move(g, 10, 20)
	w.kernel.end(g)
	if err := errors.Join(w.kernel.Drain(), w.Poll()); err != nil {
		t.Fatal(err)
	}
	w.want(110, 220)
}
