// SPDX-License-Identifier: MIT

package plan

import "time"

// Calendar says when periods begin. The zero Calendar has one period without
// end, which began at the Unix epoch.
type Calendar struct {
	Every   Period
	Hour    int            // of the day, in Zone; not of Hour
	Minute  int            // of the hour, in Zone; not of Hour
	Weekday time.Weekday   // of Week
	Day     int            // of Month, 1 to 31; the last one where the month has fewer
	Zone    *time.Location // nil is UTC
}

// Period is how long a budget lasts.
type Period uint8

// The periods. An hour is one of UTC.
const (
	None Period = iota
	Hour
	Day
	Week
	Month
)

var periodNames = [...]string{None: "none", Hour: "hour", Day: "day", Week: "week", Month: "month"}

// String returns the word of a configuration.
func (p Period) String() string { return periodNames[p] }

// Span returns the period that an instant is in: its first instant, and the
// first one of the next, which is the zero Time where there is none. Days are of
// the calendar: where clocks change they are of 23 or 25 hours, a time that is
// left out begins when clocks leave it out, and one that comes twice the first
// time.
func (c Calendar) Span(t time.Time) (start, end time.Time) {
	switch c.Every {
	case None:
		return time.Unix(0, 0).UTC(), time.Time{}
	case Hour:
		start = t.UTC().Truncate(time.Hour)
		return start, start.Add(time.Hour)
	}
	// The boundary of the day, week or month of t may be behind t.
	local := t.In(c.zone())
	n := 0
	if start = c.boundary(local, 0); start.After(t) {
		n = -1
		start = c.boundary(local, n)
	}
	return start, c.boundary(local, n+1)
}

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// boundary returns where the n-th period from the one begins whose date local
// has.
func (c Calendar) boundary(local time.Time, n int) time.Time {
	year, month, day := local.Date()
	switch c.Every {
	case Day:
		day += n
	case Week:
		day += 7*n - (int(local.Weekday())-int(c.Weekday)+7)%7
	case Month:
		month += time.Month(n)
		// The zeroth of a month is the last day of the one before.
		day = min(max(c.Day, 1), time.Date(year, month+1, 0, 12, 0, 0, 0, time.UTC).Day())
	}
	return c.at(year, month, day)
}

// at returns the first instant of a day at which clocks show the hour or later.
func (c Calendar) at(year int, month time.Month, day int) time.Time {
	t := time.Date(year, month, day, c.Hour, c.Minute, 0, 0, c.zone())
	from, to := t.ZoneBounds()
	_, offset := t.Zone()
	shown := t.Unix() + int64(offset)
	switch asked := time.Date(year, month, day, c.Hour, c.Minute, 0, 0, time.UTC).Unix(); {
	case shown > asked && !from.IsZero(): // clocks leave it out, and t is after that
		return from
	case shown < asked && !to.IsZero(): // and t is before that
		return to
	}
	if from.IsZero() {
		return t
	}
	// Clocks may have shown it before they were set back.
	_, before := from.Add(-time.Second).Zone()
	if earlier := t.Add(-time.Duration(before-offset) * time.Second); before > offset && earlier.Before(from) {
		return earlier
	}
	return t
}
