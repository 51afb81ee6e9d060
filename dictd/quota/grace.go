// SPDX-License-Identifier: MIT

package quota

import (
	"time"

	"nftdict/dict"
)

// The grace of a spent budget that excepts something: how many bytes packets of
// connections may have whose application is not known yet. Rules take them off; when
// nothing is left such packets wait.
const (
	graceMost = 512_000 // bytes
	graceRate = 16_000  // bytes that come back in a second
)

// indulge gives a budget its grace, and later what has come back of it.
func (m *Manager) indulge(b *budget, r *dict.Row, now time.Time) {
	if b.plan.Except.Empty() {
		return
	}
	since := now.Sub(b.graced)
	left, there := number(r, b.field("grace"))
	switch {
	case !there:
		m.out.put(b, []dict.Cell{{Field: b.field("grace"), Value: dict.Int64Value(graceMost)}})
	case left >= graceMost, b.graced.IsZero():
	case since < 0:
	default:
		back := graceRate * int64(min(since, time.Minute)/time.Millisecond) / 1000
		m.out.addTo(b, "grace", min(back, graceMost-left))
	}
	b.graced = now
}
