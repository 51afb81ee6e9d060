// SPDX-License-Identifier: MIT

package ledger

import (
	"net/netip"
	"sync"
	"time"

	"nftdict/dictd/conntrack"
	"nftdict/dictd/session"
)

// Kernel is what the ledger asks conntrack.
type Kernel interface {
	// Dump calls f for all confirmed connections.
	Dump(f func(*conntrack.Flow)) error
	// Lookup returns a confirmed connection; the error wraps conntrack.ErrNotFound
	// if there is none.
	Lookup(conntrack.Tuple, uint16) (conntrack.Flow, error)
	// Drain has all events handled that were sent so far.
	Drain() error
}

// Label is what a connection is about.
type Label struct {
	Application, Category string
	Final                 bool // it does not change any more
}

// Party is who has an address.
type Party struct {
	MAC    [6]byte // zero if not known
	User   string
	Inside bool // else nobody's use is written down
}

// Config of a Ledger. The functions are called with the ledger locked and must not
// call it.
type Config struct {
	Kernel Kernel
	// Label tells what a connection is about, as far as is known.
	Label func(*conntrack.Flow) Label
	// Who tells who has an address.
	Who func(netip.Addr) Party
	// Local reports whether an address is this machine's, a multicast or broadcast
	// one. Refresh, which may be nil, is called before each round.
	Local   func(netip.Addr) bool
	Refresh func() error
	// Ended is told of each forwarded connection that is over; may be nil.
	Ended func(*Record)
	// Rates writes how fast connections move, where that has changed; may be nil.
	// It is called with nothing locked.
	Rates func([]session.Rate) error
	Clock func() time.Time
	// Book is told what has moved beside the rules, as far as Beside knows; both may
	// be nil. Book is called with the ledger locked. Booked, which may be nil, is called
	// with nothing locked after a round that has booked something, before the ledger
	// has it on the disk: what it says is booked must be kept by then.
	Beside Beside
	Book   Book
	Booked func()
	State  *State // nil keeps all in memory
}

// Ledger knows what living connections have moved, and what of it is billed. Its
// methods may be called by many goroutines.
type Ledger struct {
	cfg   Config
	began time.Time // by the clock as it goes now; under mu

	polling sync.Mutex // one round at a time; taken before mu

	mu      sync.Mutex
	conns   index
	epoch   uint32
	seen    int // connections that the round under way has shown
	looked  bool
	resumed bool // totals and connections of this boot were read from the disk
	// gone are the connections that ended during a round: the dump may be older.
	gone map[goneKey]struct{}

	hour  time.Time // the period under way
	cells cells
	past  []closed // periods that are over and not on the disk yet

	recent recent

	rates rates // under polling; conns' under mu

	beside beside

	departed map[goneKey]departed

	followed map[[6]byte]*Use // by device

	dirty      []*conn
	dirtyCells []*cell

	stats Stats
}

// closed is an hour that is over.
type closed struct {
	start time.Time
	cells cells
}

type goneKey struct {
	id    uint32
	zone  uint16
	orig  conntrack.Tuple
	start uint64
}

// Stats are a Ledger's figures since its start.
type Stats struct {
	Connections int               `json:"connections"` // alive
	Cells       int               `json:"cells"`       // of this hour
	Original    conntrack.Counter `json:"original"`    // forwarded, from who opened a connection
	Reply       conntrack.Counter `json:"reply"`
	Ended       uint64            `json:"ended"`     // forwarded connections
	Estimated   uint64            `json:"estimated"` // of these, ended unheard: what they moved last is missing
	Uncounted   uint64            `json:"uncounted"` // ended without counters: born before counting was switched on
	Rounds      uint64            `json:"rounds"`
	Period      float64           `json:"period_seconds"` // between the last two rounds
	Cost        float64           `json:"cost"`           // processor time of the last round, as a part of the period
	Saved       uint64            `json:"saved"`          // writes to the disk
	Offloaded   Offloaded         `json:"offloaded"`      // booked beside the rules
	Rates       uint64            `json:"rates"`          // written to the rows of sessions
	RateCost    time.Duration     `json:"rate_cost"`      // nanoseconds of a processor that the last of these took
	LastError   string            `json:"last_error,omitempty"`
}

// New returns a Ledger that goes on where State's file ended. Events may be handled
// at once; nothing is known of the kernel's connections before the first Poll.
func New(cfg Config) (*Ledger, error) {
	l := &Ledger{cfg: cfg, began: cfg.Clock(), conns: newIndex(), cells: make(cells), followed: make(map[[6]byte]*Use)}
	l.hour = hourOf(l.began)
	if cfg.State == nil {
		return l, nil
	}
	return l, l.resume()
}

// Handle takes an event into account: what a connection that ended has moved.
func (l *Ledger) Handle(e *conntrack.Event) {
	if e.Kind != conntrack.Destroy {
		return
	}
	f := &e.Flow
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil {
		l.gone[goneKey{f.ID, f.Zone, f.Orig, f.Start}] = struct{}{}
	}
	now := l.cfg.Clock()
	c := l.find(f, now)
	if c == nil {
		c = l.open(f, now)
	}
	if f.Counted {
		l.advance(c, f, now)
	} else if !c.local {
		l.stats.Uncounted++
	}
	l.close(c, f, now)
}

// find returns the connection of an entry, nil if it is not known. One that an
// entry of the same names has taken the place of is closed, unless the kernel tells when
// each began: then the end of the one may be told after the other was seen.
func (l *Ledger) find(f *conntrack.Flow, now time.Time) *conn {
	for c := l.conns.first[f.ID]; c != nil; c = c.next {
		if c.zone != f.Zone || c.orig != f.Orig || c.start != f.Start && c.start != 0 && f.Start != 0 {
			continue
		}
		if c.is(f) && !(f.Counted && (f.Counters[0].Below(c.billed[0]) || f.Counters[1].Below(c.billed[1]))) {
			return c
		}
		c.estimated = true
		l.close(c, nil, now)
		return nil
	}
	return nil
}

// open makes an entry known. What moved before anybody looked is not billed, unless
// an earlier run of this boot has looked: it would know the connection if it had
// billed anything of it.
func (l *Ledger) open(f *conntrack.Flow, now time.Time) *conn {
	// What begins after the clock was put back does not begin before the ledger. The
	// kernel noted it a moment ago.
	if now = now.Round(0); l.looked && now.Before(l.began.Round(0)) {
		l.began = now.Add(-grace)
	}
	client, server := f.Orig.Src(), f.Reply.Src()
	c := &conn{
		orig: f.Orig, server: server, start: f.Start, id: f.ID, zone: f.Zone,
		local: !client.IsValid() || !server.IsValid() || l.cfg.Local(client) || l.cfg.Local(server),
	}
	before := f.Start != 0 && f.Start < uint64(l.began.UnixNano()) || f.Start == 0 && !l.looked
	if before && !l.resumed {
		c.billed, c.counted = f.Counters, true
		l.touch(c)
	}
	l.arrive(c)
	l.conns.add(c)
	return c
}

// advance bills what an entry has moved since.
func (l *Ledger) advance(c *conn, f *conntrack.Flow, now time.Time) {
	moved := c.moved(f)
	if moved == [2]conntrack.Counter{} {
		return
	}
	c.billed = f.Counters
	if c.local {
		return
	}
	if !c.label.Final {
		if label := l.cfg.Label(f); label.Application != "" {
			c.label = label
		}
	}
	l.bill(c, moved, now)
	l.touch(c)
}

// touch has a connection written to the disk.
func (l *Ledger) touch(c *conn) {
	if !c.dirty && l.cfg.State != nil && !c.local {
		c.dirty = true
		l.dirty = append(l.dirty, c)
	}
}

// bill puts what a connection has moved where it belongs: to each end that is
// inside.
func (l *Ledger) bill(c *conn, moved [2]conntrack.Counter, now time.Time) {
	l.stats.Original, l.stats.Reply = l.stats.Original.Add(moved[0]), l.stats.Reply.Add(moved[1])
	l.roll(now)
	use := Use{Out: moved[0], In: moved[1]}
	if !c.counted {
		c.counted = true
		use.Connections = 1
	}
	client, server := c.orig.Src(), c.server
	nobody := true
	if p := l.cfg.Who(client); p.Inside {
		l.put(Key{client, p.MAC, p.User, c.label.Application}, use)
		nobody = false
	}
	if p := l.cfg.Who(server); p.Inside {
		l.put(Key{server, p.MAC, p.User, c.label.Application}, Use{In: use.Out, Out: use.In, Connections: use.Connections})
		nobody = false
	}
	if nobody {
		l.put(Key{Application: c.label.Application}, use)
	}
}

func (l *Ledger) put(k Key, u Use) {
	if f := l.followed[k.MAC]; f != nil {
		f.add(u)
	}
	one := l.cells.get(k)
	l.recent.mark(one)
	one.use.add(u)
	if !one.dirty && l.cfg.State != nil {
		one.dirty = true
		l.dirtyCells = append(l.dirtyCells, one)
	}
}

// roll begins a new hour if it is time. A clock that is put back a little makes no
// old hour; one that was far ahead does, and the disk adds up what is of one hour.
func (l *Ledger) roll(now time.Time) {
	hour := hourOf(now)
	if early := l.hour.Sub(hour); early >= 0 && early <= time.Hour {
		return
	}
	if len(l.cells) > 0 {
		l.past = append(l.past, closed{l.hour, l.cells})
	}
	if l.cfg.State == nil && len(l.past) > hoursInMemory {
		l.past = l.past[1:]
	}
	l.hour, l.cells = hour, make(cells)
	for _, one := range l.dirtyCells {
		one.dirty = false
	}
	l.dirtyCells = nil
}

// hoursInMemory is how many are kept where there is no file.
const hoursInMemory = 48

// close ends a connection. f is its last word, nil if there was none.
func (l *Ledger) close(c *conn, f *conntrack.Flow, now time.Time) {
	l.conns.remove(c)
	c.over = true
	if c.epoch == l.epoch {
		l.seen--
	}
	if c.local {
		return
	}
	if l.beside.active && len(l.beside.ended) < maxEnded {
		l.beside.ended = append(l.beside.ended, c)
	}
	l.stats.Ended++
	if c.estimated {
		l.stats.Estimated++
	}
	if c.start == 0 {
		l.touch(c) // a later one of the same names must not be taken for it
	}
	if l.cfg.Ended != nil {
		l.cfg.Ended(newRecord(c, f, now, l.cfg.Who))
	}
}

// Stats returns the figures.
func (l *Ledger) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Connections, s.Cells = l.conns.n, len(l.cells)
	return s
}
