// SPDX-License-Identifier: MIT

package ledger

import "time"

// hourOf returns when the hour of t began by the clock on the wall. Where a clock
// is put back, the hour that comes twice is two.
func hourOf(t time.Time) time.Time {
	t = t.Round(0) // by the clock on the wall alone
	_, m, s := t.Clock()
	return t.Add(-time.Duration(m)*time.Minute - time.Duration(s)*time.Second - time.Duration(t.Nanosecond()))
}

// dayOf returns when the day of t began: midnight, or where clocks are put forward
// at midnight what follows it.
func dayOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}
