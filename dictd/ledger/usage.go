// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Period is what a sum of uses is over.
type Period uint8

// The periods.
const (
	Hour Period = iota
	Day
	Recent // from one look to the next, as far as that is kept: about ten minutes
)

// Query asks for uses.
type Query struct {
	Period      Period
	Since, Till time.Time // of the periods' beginnings; zero means all there are
}

// Uses are those of one period.
type Uses struct {
	Start, End time.Time
	Uses       []KeyUse
}

// KeyUse is a Use and whose it is.
type KeyUse struct {
	Key
	Use
}

// Usage returns the periods in their order, the one under way last. Their uses are
// in no order. Each is read when it comes: all of them may be more than there is
// memory for. Nothing is locked meanwhile.
func (l *Ledger) Usage(q Query) iter.Seq2[Uses, error] {
	if q.Till.IsZero() {
		q.Till = time.Unix(1<<40, 0)
	}
	return func(yield func(Uses, error) bool) {
		if q.Period == Recent {
			l.mu.Lock()
			spans := l.recent.list(&q)
			l.mu.Unlock()
			for _, one := range spans {
				if !yield(one, nil) {
					return
				}
			}
			return
		}
		starts, err := l.starts(&q)
		if err != nil {
			yield(Uses{}, err)
			return
		}
		for _, at := range starts {
			u, err := l.uses(q.Period, at)
			if (err != nil || len(u.Uses) > 0) && !yield(u, err) || err != nil {
				return
			}
		}
	}
}

// starts returns when the periods began in which something moved, in seconds of Unix
// time and their order.
func (l *Ledger) starts(q *Query) (all []int64, err error) {
	l.polling.Lock()
	defer l.polling.Unlock()
	if l.cfg.State != nil {
		if all, err = l.cfg.State.starts(q); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hours(q.Period, func(start time.Time, c cells) {
		if len(c) > 0 && !start.Before(q.Since) && start.Before(q.Till) {
			all = append(all, start.Unix())
		}
	})
	slices.Sort(all)
	return slices.Compact(all), nil
}

// uses returns one period. One lock over disk and memory: an hour is either here or
// there.
func (l *Ledger) uses(p Period, at int64) (u Uses, err error) {
	l.polling.Lock()
	defer l.polling.Unlock()
	sum := make(cells)
	if l.cfg.State != nil {
		if sum, err = l.cfg.State.period(p, at); err != nil {
			return Uses{}, err
		}
	}
	l.mu.Lock()
	u.Start = time.Unix(at, 0).In(l.began.Location())
	u.End = p.End(u.Start)
	l.hours(p, func(start time.Time, c cells) {
		if start.Unix() == at {
			sum.merge(c)
		}
	})
	l.mu.Unlock()
	u.Uses = make([]KeyUse, 0, len(sum))
	for k, one := range sum {
		u.Uses = append(u.Uses, KeyUse{k, one.use})
	}
	return u, nil
}

// hours calls f for the hours that are in memory, with the beginnings of their
// periods; l.mu is held.
func (l *Ledger) hours(p Period, f func(start time.Time, c cells)) {
	l.roll(l.cfg.Clock())
	for _, h := range append(l.past[:len(l.past):len(l.past)], closed{l.hour, l.cells}) {
		f(p.Start(h.start), h.cells)
	}
}

// bucketOf returns where the periods of a kind are.
func bucketOf(p Period) []byte {
	if p == Day {
		return bucketDays
	}
	return bucketHours
}

// starts returns when the periods on the disk began, in their order.
func (s *State) starts(q *Query) (all []int64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketOf(q.Period)).Cursor()
		for k, _ := c.Seek(periodKey(laterOf(q.Since, time.Unix(0, 0)))); k != nil; k, _ = c.Next() {
			if len(k) != 8 {
				return errCorrupt
			}
			at := int64(binary.BigEndian.Uint64(k))
			if !time.Unix(at, 0).Before(q.Till) {
				return nil
			}
			all = append(all, at)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", s.path, err)
	}
	return all, nil
}

// period returns what the disk has of one, nothing if it has not.
func (s *State) period(p Period, at int64) (all cells, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(bucketOf(p)).Get(periodKey(time.Unix(at, 0)))
		if v == nil {
			all = make(cells)
			return nil
		}
		all, err = decodeCells(v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", s.path, err)
	}
	return all, nil
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
