// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"go.etcd.io/bbolt"
)

// Period is what a sum of uses is over.
type Period uint8

// The periods.
const (
	Hour Period = iota
	Day
)

// Query asks for uses.
type Query struct {
	Period      Period
	Since, Till time.Time // of the periods' beginnings; zero means all there are
}

// Uses are those of one period.
type Uses struct {
	Start time.Time
	Uses  []KeyUse
}

// KeyUse is a Use and whose it is.
type KeyUse struct {
	Key
	Use
}

// Usage returns the periods in their order, the one under way last. Their uses are
// in no order.
func (l *Ledger) Usage(q Query) ([]Uses, error) {
	if q.Till.IsZero() {
		q.Till = time.Unix(1<<40, 0)
	}
	// One lock over both: an hour is either here or on the disk.
	l.polling.Lock()
	defer l.polling.Unlock()
	periods := make(map[int64]cells)
	var order []int64
	add := func(start time.Time, c cells) {
		if start.Before(q.Since) || !start.Before(q.Till) || len(c) == 0 {
			return
		}
		at := start.Unix()
		if periods[at] == nil {
			periods[at] = make(cells)
			order = append(order, at)
		}
		periods[at].merge(c)
	}
	if l.cfg.State != nil {
		if err := l.cfg.State.each(q, add); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	l.roll(l.cfg.Clock())
	for _, h := range append(l.past[:len(l.past):len(l.past)], closed{l.hour, l.cells}) {
		if q.Period == Day {
			h.start = dayOf(h.start)
		}
		add(h.start, h.cells)
	}
	zone := l.began.Location()
	l.mu.Unlock()
	all := make([]Uses, len(order))
	for i, at := range order {
		all[i].Start = time.Unix(at, 0).In(zone)
		for k, one := range periods[at] {
			all[i].Uses = append(all[i].Uses, KeyUse{k, one.use})
		}
	}
	return all, nil
}

// each calls f for the periods on the disk, in their order.
func (s *State) each(q Query, f func(start time.Time, c cells)) error {
	bucket := bucketHours
	if q.Period == Day {
		bucket = bucketDays
	}
	err := s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k, v := c.Seek(periodKey(laterOf(q.Since, time.Unix(0, 0)))); k != nil; k, v = c.Next() {
			if len(k) != 8 {
				return errCorrupt
			}
			start := time.Unix(int64(binary.BigEndian.Uint64(k)), 0)
			if !start.Before(q.Till) {
				return nil
			}
			all, err := decodeCells(v)
			if err != nil {
				return err
			}
			f(start, all)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ledger %s: %w", s.path, err)
	}
	return nil
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// By is what uses are summed up by.
type By uint8

// The ways to sum up.
const (
	ByHost By = iota
	ByDevice
	ByUser
	ByApplication
)

// Filter chooses uses; what is zero does not matter.
type Filter struct {
	Address     netip.Addr
	MAC         [6]byte
	User        string
	Application string
}

func (f *Filter) fits(k *Key) bool {
	return (!f.Address.IsValid() || f.Address == k.Address) && (f.MAC == [6]byte{} || f.MAC == k.MAC) &&
		(f.User == "" || f.User == k.User) && (f.Application == "" || f.Application == k.Application)
}

// Sum returns the uses that fit, summed up: of each Key only the one part is set
// that By names. Traffic of which that is not known is under the zero Key.
func (u *Uses) Sum(by By, f Filter) map[Key]Use {
	sums := make(map[Key]Use)
	for i := range u.Uses {
		one := &u.Uses[i]
		if !f.fits(&one.Key) {
			continue
		}
		var k Key
		switch by {
		case ByHost:
			k.Address = one.Address
		case ByDevice:
			k.MAC = one.MAC
		case ByUser:
			k.User = one.User
		case ByApplication:
			k.Application = one.Application
		}
		sum := sums[k]
		sum.add(one.Use)
		sums[k] = sum
	}
	return sums
}

// End returns when a period that began at t ends.
func (p Period) End(t time.Time) time.Time {
	if p == Hour {
		return t.Add(time.Hour)
	}
	return dayOf(t).AddDate(0, 0, 1)
}

// Start returns when the period of t began.
func (p Period) Start(t time.Time) time.Time {
	if p == Hour {
		return hourOf(t)
	}
	return dayOf(t)
}
