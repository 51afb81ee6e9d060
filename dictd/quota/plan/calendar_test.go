// SPDX-License-Identifier: MIT

package plan

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestSpan(t *testing.T) {
	berlin, havana, howe := zone(t, "Europe/Berlin"), zone(t, "America/Havana"), zone(t, "Australia/Lord_Howe")
	for _, c := range []struct {
		name           string
		c              Calendar
		at, start, end string
	}{
		{"none", Calendar{}, "2026-05-05T10:00:00Z", "1970-01-01T00:00:00Z", ""},
		{"hour", Calendar{Every: Hour, Zone: berlin}, "2026-05-05T10:59:59Z", "2026-05-05T10:00:00Z", "2026-05-05T11:00:00Z"},
		{"day", Calendar{Every: Day, Hour: 4, Zone: berlin}, "2026-05-05T01:59:59Z", "2026-05-04T02:00:00Z", "2026-05-05T02:00:00Z"},
		{"a day's first instant", Calendar{Every: Day, Hour: 4, Zone: berlin}, "2026-05-05T02:00:00Z", "2026-05-05T02:00:00Z", "2026-05-06T02:00:00Z"},
		{"day of 23 hours", Calendar{Every: Day, Zone: berlin}, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"day of 25 hours", Calendar{Every: Day, Zone: berlin}, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		// Clocks go from 02:00 to 03:00 at 01:00 UTC.
		{"hour left out, before", Calendar{Every: Day, Hour: 2, Minute: 30, Zone: berlin}, "2026-03-29T00:59:59Z", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z"},
		{"hour left out, at", Calendar{Every: Day, Hour: 2, Minute: 30, Zone: berlin}, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		// And from 03:00 to 02:00 at 01:00 UTC: 02:30 is at 00:30 and 01:30.
		{"hour twice, between", Calendar{Every: Day, Hour: 2, Minute: 30, Zone: berlin}, "2026-10-25T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"hour twice, second", Calendar{Every: Day, Hour: 2, Minute: 30, Zone: berlin}, "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"midnight left out", Calendar{Every: Day, Zone: havana}, "2026-03-08T06:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
		{"midnight twice", Calendar{Every: Day, Zone: havana}, "2026-11-01T05:30:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"half an hour", Calendar{Every: Day, Hour: 1, Minute: 45, Zone: howe}, "2026-04-04T15:00:00Z", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"},
		{"week", Calendar{Every: Week, Weekday: time.Monday, Zone: berlin}, "2026-05-10T21:59:59Z", "2026-05-03T22:00:00Z", "2026-05-10T22:00:00Z"},
		{"week from sunday noon", Calendar{Every: Week, Weekday: time.Sunday, Hour: 12}, "2026-05-10T11:00:00Z", "2026-05-03T12:00:00Z", "2026-05-10T12:00:00Z"},
		{"week over the change", Calendar{Every: Week, Weekday: time.Sunday, Hour: 2, Minute: 30, Zone: berlin}, "2026-03-29T00:59:59Z", "2026-03-22T01:30:00Z", "2026-03-29T01:00:00Z"},
		{"month", Calendar{Every: Month, Day: 1, Hour: 6}, "2026-01-01T05:00:00Z", "2025-12-01T06:00:00Z", "2026-01-01T06:00:00Z"},
		{"month of 28 days", Calendar{Every: Month, Day: 31}, "2026-02-15T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"},
		{"after 28 days", Calendar{Every: Month, Day: 31}, "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"},
		{"leap year", Calendar{Every: Month, Day: 30}, "2028-03-01T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-30T00:00:00Z"},
		{"the 31st of a month", Calendar{Every: Month, Day: 30}, "2026-01-31T00:00:00Z", "2026-01-30T00:00:00Z", "2026-02-28T00:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		start, end := c.c.Span(at)
		gotEnd := ""
		if !end.IsZero() {
			gotEnd = end.UTC().Format(time.RFC3339)
		}
		if got := start.UTC().Format(time.RFC3339); got != c.start || gotEnd != c.end {
			t.Errorf("%s: %s is in %s to %s, want %s to %s", c.name, c.at, got, gotEnd, c.start, c.end)
		}
	}
}

// Periods follow upon each other without gaps, whatever clocks do.
func TestSpansMeet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "UTC"} {
		z := zone(t, name)
		for range 300 {
			c := Calendar{Every: Period(1 + r.IntN(4)), Hour: r.IntN(24), Minute: r.IntN(60), Weekday: time.Weekday(r.IntN(7)), Day: 1 + r.IntN(31), Zone: z}
			at := time.Date(2005+r.IntN(25), 1, 1, 0, 0, r.IntN(365*86400), r.IntN(1e9), time.UTC)
			start, end := c.Span(at)
			if start.After(at) || !end.After(at) {
				t.Fatalf("%s %+v: %s is not in %s to %s", name, c, at, start, end)
			}
			if again, same := c.Span(start); !again.Equal(start) || !same.Equal(end) {
				t.Fatalf("%s %+v: the period from %s to %s begins in one from %s to %s", name, c, start, end, again, same)
			}
			if again, same := c.Span(end.Add(-1)); !again.Equal(start) || !same.Equal(end) {
				t.Fatalf("%s %+v: the period from %s to %s ends in one from %s to %s", name, c, start, end, again, same)
			}
			if next, _ := c.Span(end); !next.Equal(end) {
				t.Fatalf("%s %+v: after %s to %s comes one from %s", name, c, start, end, next)
			}
		}
	}
}
