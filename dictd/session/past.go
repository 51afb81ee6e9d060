// SPDX-License-Identifier: MIT

package session

import (
	"sync"
	"time"

	"nftdict/dictd/conntrack"
)

// past are sessions of which no more packets are queued, while what is queued waits to be
// handled: what they are may be in there.
type past struct {
	mu     sync.Mutex // taken after a session's lock
	noted  map[*Session]struct{}
	fenced map[*Session]struct{} // those that were noted before a fence
	passed func() bool           // reports whether all is handled that was queued before it
	since  time.Time             // when it was set
}

// Bounds of them: others are noted by the next look at the kernel's counters. A fence
// may be lost, and another one is set.
const (
	maxPast   = 1 << 14
	fenceLife = 10 * time.Second
)

// dnsPort is the port of what is always queued.
const dnsPort uint16 = 53

// Past takes note of what conntrack has counted of an entry. Past Config.Most packets rules
// queue no more of a connection, however few of them were seen: segments of TCP that carry
// nothing are counted and not queued, and a full queue lets packets go on. A session
// that waits for more is given up by Expire, some seconds later; not while its entry is in a
// flowtable, which a row that changes would take it from.
func (t *Table) Past(f *conntrack.Flow) {
	if t.fence == nil || !t.counted(f) || isDNS(f) {
		return
	}
	for _, s := range t.ids.all(f.ID) {
		if s.orig != f.Orig || !s.Lock() {
			continue
		}
		if s.zone == f.Zone && s.overdue() {
			t.past.note(s)
		}
		s.Unlock()
	}
}

// overdue reports whether a locked session waits for packets that are not queued, if
// conntrack has counted many, or could not write that it waits no more. What is reopened
// is queued however many these are.
func (s *Session) overdue() bool {
	return s.confirmed && s.sent&sentBypass == 0 && s.Writable() && !s.reopened && !s.Doubted()
}

// isPast asks the kernel whether no more packets of a locked session are queued: what was
// noted may be over, and another connection in its place. Rows of others may want them all the same.
func (t *Table) isPast(s *Session) bool {
	t.stats.lookups.Add(1)
	f, err := t.kernel.Lookup(s.orig, s.zone)
	return err == nil && f.ID == s.id && f.Orig == s.orig && !f.Ended() && t.counted(&f) && !t.rows.Wanted(s.id)
}

// counted reports whether an entry takes the way by the rules, and conntrack has counted
// more packets of it than are queued.
func (t *Table) counted(f *conntrack.Flow) bool {
	return !f.Offloaded() && f.Counters[0].Packets+f.Counters[1].Packets > t.most()
}

func isDNS(f *conntrack.Flow) bool {
	switch dnsPort {
	case f.Orig.SrcPort, f.Orig.DstPort, f.Reply.SrcPort, f.Reply.DstPort:
		return true
	}
	return false
}

func (p *past) note(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noted == nil {
		p.noted = make(map[*Session]struct{})
	}
	if len(p.noted) < maxPast {
		p.noted[s] = struct{}{}
	}
}

// endPast gives up the sessions past their packets when all is handled that was queued
// before they were noted.
func (t *Table) endPast(now time.Time) {
	for s := range t.past.through(t.fence, now) {
		if s.Lock() {
			if s.overdue() && t.isPast(s) {
				t.abandon(s)
			}
			s.Unlock()
		}
	}
}

// through returns the sessions whose fence has been passed, and has the next ones wait.
func (p *past) through(fence func() func() bool, now time.Time) (all map[*Session]struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fenced != nil && p.passed() {
		all, p.fenced = p.fenced, nil
	}
	switch {
	case p.fenced == nil && p.noted != nil:
		p.fenced, p.noted = p.noted, nil
	case p.fenced == nil || now.Sub(p.since) < fenceLife:
		return all
	}
	p.passed, p.since = fence(), now
	return all
}
