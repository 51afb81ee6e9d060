// SPDX-License-Identifier: MIT

package ledger

import (
	"errors"
	"fmt"
	"time"

	"nftdict/dictd/conntrack"
)

// grace is how long a connection that vanished without a word is waited for: where
// the socket was full the kernel tells of its end later.
const grace = time.Minute

// Poll does a round: it bills what the kernel's connections have moved since the
// last.
func (l *Ledger) Poll() error {
	l.polling.Lock()
	defer l.polling.Unlock()
	if l.cfg.Refresh != nil {
		if err := l.cfg.Refresh(); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	if err := l.watch(); err != nil {
		return err
	}
	l.mu.Lock()
	l.epoch++
	l.seen = 0
	l.gone = make(map[goneKey]struct{})
	l.rates.begin(l.cfg.Clock(), l.cfg.Rates != nil)
	l.mu.Unlock()
	err := l.cfg.Kernel.Dump(l.show)
	l.mu.Lock()
	l.gone = nil
	complete := l.seen == l.conns.n
	l.roll(l.cfg.Clock())
	l.forgetDeparted()
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if !complete {
		if err := l.missed(); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	l.mu.Lock()
	l.looked = true
	l.stats.Rounds++
	l.recent.span(l.cfg.Clock())
	l.mu.Unlock()
	if err := l.settle(); err != nil {
		return err
	}
	if err := l.writeRates(); err != nil {
		return fmt.Errorf("rates of sessions: %w", err)
	}
	return nil
}

// show takes an entry of a dump into account.
func (l *Ledger) show(f *conntrack.Flow) {
	if f.Dying() || !f.Counted {
		return // its end tells more; nothing is known of it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, over := l.gone[goneKey{f.ID, f.Zone, f.Orig, f.Start}]; over {
		return
	}
	l.alive(f)
}

// alive takes a living entry into account.
func (l *Ledger) alive(f *conntrack.Flow) {
	now := l.cfg.Clock()
	c := l.find(f, now)
	if c == nil {
		if l.awaits(f) {
			return
		}
		c = l.open(f, now)
	}
	if c.epoch != l.epoch {
		c.epoch = l.epoch
		l.seen++
	}
	c.vanished = time.Time{}
	l.rates.take(c, c.moved(f))
	l.advance(c, f, now)
}

// missed looks after the connections that the round has not shown: the event of
// their end may wait to be read, the dump may have left them out, or they ended
// unheard. These stay a while as they are: what they moved so far is billed.
func (l *Ledger) missed() error {
	if err := l.cfg.Kernel.Drain(); err != nil {
		return err
	}
	hidden := make(map[*conn]struct{})
	l.mu.Lock()
	l.conns.each(func(c *conn) {
		if c.epoch != l.epoch && c.vanished.IsZero() {
			hidden[c] = struct{}{}
		}
	})
	l.mu.Unlock()
	for c := range hidden {
		f, err := l.cfg.Kernel.Lookup(c.orig, c.zone)
		switch {
		case err == nil && f.Orig == c.orig && c.is(&f):
			delete(hidden, c)
			l.show(&f)
		case err != nil && !errors.Is(err, conntrack.ErrNotFound):
			delete(hidden, c) // nothing is known
		}
	}
	// The kernel tells of an end before the entry cannot be found any more.
	if err := l.cfg.Kernel.Drain(); err != nil {
		return err
	}
	now := l.cfg.Clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns.each(func(c *conn) {
		if _, ok := hidden[c]; ok && c.vanished.IsZero() && c.epoch != l.epoch {
			c.vanished = now
		}
		if !c.vanished.IsZero() && now.Sub(c.vanished) >= grace {
			c.estimated = true
			l.close(c, nil, now)
		}
	})
	return nil
}
