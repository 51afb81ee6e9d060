// SPDX-License-Identifier: MIT

package ledger

import (
	"slices"
	"time"
)

// resume reads what an earlier run has left.
func (l *Ledger) resume() error {
	hours, conns, same, err := l.cfg.State.load()
	if err != nil {
		return err
	}
	starts := make([]int64, 0, len(hours))
	for start := range hours {
		starts = append(starts, start)
	}
	slices.Sort(starts)
	for _, start := range starts {
		at := time.Unix(start, 0).In(l.began.Location())
		if at.Equal(l.hour) {
			l.cells = hours[start]
		} else if len(hours[start]) > 0 {
			l.past = append(l.past, closed{at, hours[start]})
		}
	}
	if l.resumed = same; same {
		for _, c := range conns {
			l.conns.add(c)
		}
	}
	return nil
}

// Save puts on the disk what has changed since the last time. What could not be
// written is written with the next.
func (l *Ledger) Save() error {
	if l.cfg.State == nil {
		return nil
	}
	l.polling.Lock()
	defer l.polling.Unlock()
	l.mu.Lock()
	l.roll(l.cfg.Clock())
	w := write{over: l.past, whole: len(l.past) > 0 || l.stats.Saved == 0 || l.cfg.State.wantsWhole()}
	if !w.whole && len(l.dirty) == 0 && len(l.dirtyCells) == 0 {
		l.mu.Unlock()
		return nil
	}
	s := saved{hour: l.hour, conns: l.dirty, cells: l.dirtyCells}
	if w.whole {
		s = l.all()
	}
	w.part = s.encode()
	for _, c := range l.dirty {
		c.dirty = false
	}
	for _, one := range l.dirtyCells {
		one.dirty = false
	}
	l.dirty, l.dirtyCells, l.past = nil, nil, nil
	l.mu.Unlock()

	err := l.cfg.State.save(&w)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.past = append(w.over, l.past...)
		l.again(&s)
		return err
	}
	l.stats.Saved++
	return nil
}

// all returns all that is known. Baselines and connections that a later one might
// be taken for are among it.
func (l *Ledger) all() saved {
	s := saved{hour: l.hour, conns: make([]*conn, 0, l.conns.n), cells: make([]*cell, 0, len(l.cells))}
	l.conns.each(func(c *conn) {
		if !c.local {
			s.conns = append(s.conns, c)
		}
	})
	for _, one := range l.cells {
		s.cells = append(s.cells, one)
	}
	return s
}

// again has a write that failed done with the next. The hour may be another by now.
func (l *Ledger) again(s *saved) {
	for _, c := range s.conns {
		l.touch(c)
	}
	if !s.hour.Equal(l.hour) {
		return
	}
	for _, one := range s.cells {
		if !one.dirty {
			one.dirty = true
			l.dirtyCells = append(l.dirtyCells, one)
		}
	}
}
