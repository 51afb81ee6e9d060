// SPDX-License-Identifier: MIT

package rules

import (
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// day is the length of one, in seconds.
const day = 86400

// Moments are when rules may say something else although nobody changes them.
type Moments struct {
	hours   []uint32    // in seconds of a day of UTC, sorted
	days    bool        // at midnight
	times   []time.Time // sorted
	minutes bool        // at each full minute: some ask the clock in ways that are not understood

	Ends map[string]time.Time // by set, as WatchOthers calls it: when its next element ends
}

// Clock reports whether rules ask the clock.
func (m *Moments) Clock() bool {
	return len(m.hours) > 0 || m.days || len(m.times) > 0 || m.minutes
}

// Next returns the first moment after a time at which the clock changes what rules say,
// the zero time if there is none. Days begin at midnight west of UTC by that much, as
// those of the kernel do (KernelZone).
func (m *Moments) Next(after time.Time, west time.Duration) (next time.Time) {
	earliest := func(t time.Time) {
		if t.After(after) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	midnight := after.UTC().Truncate(day * time.Second)
	for _, h := range m.hours {
		earliest(midnight.Add(time.Duration(h) * time.Second))
		earliest(midnight.Add(time.Duration(day+h) * time.Second))
	}
	if m.days {
		for d := range 4 {
			earliest(midnight.Add(west + time.Duration(d-1)*day*time.Second))
		}
	}
	for _, t := range m.times {
		earliest(t)
	}
	if m.minutes {
		earliest(after.Truncate(time.Minute).Add(time.Minute))
	}
	return next
}

// clock is what rules ask of it, by the kernel's numbers of `meta time`, `meta day` and
// `meta hour`.
type clock uint32

const (
	clockTime clock = 30 + iota // ns of Unix time, 64 bits
	clockDay                    // of the week, 8 bits
	clockHour                   // seconds of a day of UTC, 32 bits
)

// size returns how many bytes a value has.
func (c clock) size() int { return map[clock]int{clockTime: 8, clockDay: 1, clockHour: 4}[c] }

// begins notes that the answer to a comparison changes with a value, or behind it.
func (m *Moments) begins(c clock, value []byte, swapped, behind bool) {
	if len(value) != c.size() {
		m.minutes = true
		return
	}
	var order binary.ByteOrder = binary.NativeEndian
	if swapped {
		order = binary.BigEndian
	}
	switch c {
	case clockDay:
		m.days = true
	case clockHour:
		h := order.Uint32(value)
		if behind {
			h++
		}
		m.hours = append(m.hours, h%day)
	case clockTime:
		ns := order.Uint64(value)
		if behind {
			ns++
		}
		if ns <= math.MaxInt64 {
			m.times = append(m.times, time.Unix(0, int64(ns)))
		}
	}
}

// sort brings moments into order, each once.
func (m *Moments) sort() {
	slices.Sort(m.hours)
	m.hours = slices.Compact(m.hours)
	slices.SortFunc(m.times, time.Time.Compare)
	m.times = slices.CompactFunc(m.times, time.Time.Equal)
}
