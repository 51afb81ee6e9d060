// SPDX-License-Identifier: MIT

package ledger

import (
	"fmt"
	"net/netip"
)

// Beside is what is asked about connections in flowtables: *Flows.
type Beside interface {
	// Active reports whether there are flowtables, and has what goes into them noted.
	Active() (bool, error)
	// Read returns what is known of them, by conntrack id.
	Read() (map[uint32]Passed, error)
	// Slow returns what has passed the rules of one that is known, now.
	Slow(id uint32) ([2]uint64, error)
	// Forget deletes what is known of those that have ended.
	Forget(ids []uint32) error
}

// Book is told what has moved beside the rules: between who opened a connection and
// who answers, bytes from the one and from the other.
type Book func(client, server netip.Addr, original, reply uint64, label Label)

// offload is what of a connection moved beside the rules.
type offload struct {
	began  [2]uint64 // counters when it went into a flowtable; see Passed
	carry  [2]uint64 // booked of times before that
	booked [2]uint64 // in all
	slow   [2]uint64 // at the last settlement
}

// beside keeps account of what moves beside the rules. Under Ledger.mu, but for the
// asking.
type beside struct {
	active bool
	booked bool    // something, since the last round
	ended  []*conn // since the last settlement, forwarded
	stale  map[uint32]struct{}
}

// maxEnded bounds the connections that have ended and wait for a settlement.
const maxEnded = 1 << 18

// watch asks whether anything may move beside the rules. polling is held.
func (l *Ledger) watch() error {
	if l.cfg.Beside == nil {
		return nil
	}
	active, err := l.cfg.Beside.Active()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.beside.active = active && err == nil; !l.beside.active {
		l.beside.ended = nil
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Besides reports whether there were flowtables at the last round.
func (l *Ledger) Besides() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.beside.active
}

// settle books what has moved beside the rules since the last time. What is known
// of it is read after conntrack's counters: it is never less than these have of
// it, so nothing is booked that the rules charge, and what a round leaves out the
// next one has. polling is held.
func (l *Ledger) settle() error {
	l.mu.Lock()
	ended, active := l.beside.ended, l.beside.active
	l.beside.ended = nil
	l.mu.Unlock()
	if !active {
		return nil
	}
	known, err := l.cfg.Beside.Read()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	var over []uint32
	var again []*conn
	l.mu.Lock()
	stale := make(map[uint32]struct{})
	for id, p := range known {
		c := l.conns.first[id]
		switch {
		case c == nil:
			stale[id] = struct{}{}
		case c.next == nil: // of two with one id it is not known whose it is
			l.bookBeside(c, p)
			if o := c.offload; o != nil {
				if o.slow != p.Slow && len(again) < maxAgain {
					again = append(again, c)
				}
				o.slow = p.Slow
			}
		}
	}
	for _, c := range ended {
		if p, ok := known[c.id]; ok && l.conns.first[c.id] == nil {
			l.bookBeside(c, p)
			over = append(over, c.id)
			delete(stale, c.id)
			delete(known, c.id) // whose the rest would be is not known
		}
	}
	// One whose connection is not known may be younger than the round.
	for id := range stale {
		if _, twice := l.beside.stale[id]; twice {
			over = append(over, id)
			delete(stale, id)
		}
	}
	l.beside.stale = stale
	l.mu.Unlock()
	for _, c := range again {
		if err := l.lookCloser(c, known[c.id]); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	l.mu.Lock()
	booked := l.beside.booked
	l.beside.booked = false
	l.mu.Unlock()
	if booked && l.cfg.Booked != nil {
		l.cfg.Booked()
	}
	if len(over) > 0 {
		if err := l.cfg.Beside.Forget(over); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

// Bounds of looking closer.
const (
	maxAgain = 64 // connections in a round
	closer   = 4  // times each
)

// lookCloser books what is left of a connection that moves beside the rules and by
// them: what passes these between conntrack's figure and theirs is left out, which is
// little where the one is read right after the other, and nothing where nothing passes.
func (l *Ledger) lookCloser(c *conn, p Passed) error {
	for range closer {
		f, err := l.cfg.Kernel.Lookup(c.orig, c.zone)
		if err != nil || !c.is(&f) {
			return nil // it has ended, which is told elsewhere
		}
		slow, err := l.cfg.Beside.Slow(c.id)
		if err != nil {
			return err
		}
		l.mu.Lock()
		if !c.over {
			l.advance(c, &f, l.cfg.Clock())
			l.bookBeside(c, Passed{p.Began, slow})
		}
		l.mu.Unlock()
		if slow == p.Slow {
			return nil
		}
		p.Slow = slow
	}
	return nil
}

// bookBeside books what a connection has moved beside the rules since.
func (l *Ledger) bookBeside(c *conn, p Passed) {
	if c.local {
		return
	}
	for i := range p.Began {
		if c.billed[i].Bytes < p.Began[i] {
			return // of an earlier connection, or later than the counters
		}
	}
	o := c.offload
	if o == nil {
		o = &offload{began: p.Began}
		c.offload = o
	}
	if o.began != p.Began { // it was noted anew
		o.began, o.carry = p.Began, o.booked
	}
	var more [2]uint64
	for i := range more {
		beyond := c.billed[i].Bytes - p.Began[i]
		all := o.carry[i]
		if beyond > p.Slow[i] {
			all += beyond - p.Slow[i]
		}
		if all > o.booked[i] {
			more[i] = all - o.booked[i]
			o.booked[i] = all
		}
	}
	if more == [2]uint64{} {
		return
	}
	l.touch(c)
	l.stats.Offloaded.Original += more[0]
	l.stats.Offloaded.Reply += more[1]
	if l.cfg.Book == nil {
		return
	}
	l.beside.booked = true
	l.cfg.Book(c.orig.Src(), c.server, more[0], more[1], c.label)
}

// Offloaded is what moved beside the rules, in bytes of each direction.
type Offloaded struct {
	Original uint64 `json:"original"`
	Reply    uint64 `json:"reply"`
}
