// SPDX-License-Identifier: MIT

package identity

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/session"
)

// Config of a Directory.
type Config struct {
	Store     dict.Store
	Hosts     int           // most addresses
	Addresses int           // most addresses of a device
	Age       time.Duration // an address that was quiet for so long is forgotten
	// Vendor tells who made a device, "" if that is not known; may be nil.
	Vendor func(mac [6]byte) string
	// Identify is told who opens connections from addresses, nil where that is not
	// known any more. It is called by one goroutine at a time.
	Identify func(map[netip.Addr]*session.Client)
	State    *State // users and their devices
	LetIn    bool   // there is a portal: what rows say of devices that are let in is its own
	Names    Names  // may be nil
	Clock    func() time.Time
	Events   *event.Log // is told what becomes of hosts, devices and users; may be nil
}

// Names are what DNS calls addresses.
type Names interface {
	// Name returns what is remembered, "" if there is no name, false if nothing is.
	Name(netip.Addr) (string, bool)
	// Ask has a function called with the name, by another goroutine; false if it will
	// not.
	Ask(netip.Addr, func(string)) bool
}

// Directory holds what is known. Its methods may be called by many goroutines.
type Directory struct {
	cfg Config

	mu      sync.Mutex // held while what is known is read or changed
	hosts   map[netip.Addr]*host
	devices map[[6]byte]*device
	links   map[uint32]string // interfaces inside, by index
	names   leases
	said    map[[6]byte]*said
	room    time.Time // when room was last looked for
	// userRoom is when none was found for a device that has a user.
	userRoom time.Time
	saidRoom time.Time // when it was last looked for among what was said
	changed  changes
	again    rota // rows that are to be written again, changed or not
	doubted  map[netip.Addr]struct{}

	wake     chan struct{}
	evidence chan evidence

	writing sync.Mutex // held while rows are written; taken before mu
	books   [3]*book   // of hosts, devices and users
	told    map[netip.Addr]*session.Client
	news    *news

	ending sync.Mutex
	end    time.Time // when logins are looked at next, zero if there are none
	ends   chan struct{}

	moves, disputed, refused, evicted, aged, missed atomic.Uint64
}

// changes are the keys of rows that may have to be written.
type changes struct {
	hosts   map[netip.Addr]struct{}
	devices map[[6]byte]struct{}
	users   map[string]struct{}
}

func newChanges() changes {
	return changes{make(map[netip.Addr]struct{}), make(map[[6]byte]struct{}), make(map[string]struct{})}
}

// Times of a Directory.
const (
	// together is how long further changes are waited for after a write; and rest
	// times as long as the write took.
	together = 20 * time.Millisecond
	rest     = 3
	// tendEvery is how often what is old is forgotten, and all rows are written
	// again, in case that somebody has deleted them.
	tendEvery = time.Minute
)

// maxEvidence is how much of what the classifier saw may wait.
const maxEvidence = 1024

// New returns a Directory that knows what the store's rows tell of an earlier
// run, and the users of cfg.State. Nothing is written yet.
func New(cfg Config) (*Directory, error) {
	d := &Directory{
		cfg: cfg, hosts: make(map[netip.Addr]*host), devices: make(map[[6]byte]*device), said: make(map[[6]byte]*said), doubted: make(map[netip.Addr]struct{}), changed: newChanges(),
		wake: make(chan struct{}, 1), ends: make(chan struct{}, 1), evidence: make(chan evidence, maxEvidence), told: make(map[netip.Addr]*session.Client),
	}
	for i, table := range [...]struct {
		name   string
		fields []string
	}{{dict.Hosts, hostFields}, {dict.Devices, deviceFields}, {dict.Users, userFields}} {
		if i < 2 && (cfg.LetIn || cfg.State.letsIn()) {
			table.fields = append(slices.Clip(table.fields), inField)
		}
		d.books[i] = newBook(cfg.Store, table.name, table.fields)
	}
	if !cfg.LetIn {
		if _, err := cfg.State.logout(func(l *Login) bool { return l.LetIn }); err != nil {
			d.books[2].note(err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.adopt(); err != nil {
		return nil, err
	}
	marks := func(mac [6]byte) { d.markDevice(d.device(mac)) }
	names := func(name string) { d.changed.users[name] = struct{}{} }
	cfg.State.each(func(mac [6]byte, _ string) { marks(mac) }, names)
	cfg.State.eachGone(func(name string) {
		if key, err := dict.StringKey(name); err == nil {
			d.books[2].assume(key, "usergroups")
		}
		names(name)
	}, func(mac [6]byte) {
		d.books[1].assume(dict.EtherKey(mac), "username")
		if v := d.devices[mac]; v != nil {
			for _, h := range v.hosts {
				d.doubted[h.addr] = struct{}{}
			}
		}
		d.changed.devices[mac] = struct{}{}
	}, func(mac [6]byte) {
		d.books[1].assume(dict.EtherKey(mac), inField)
		d.changed.devices[mac] = struct{}{}
	}, func(a netip.Addr) {
		d.books[0].assume(dict.AddrKey(a), "username")
		d.doubted[a] = struct{}{}
		d.changed.hosts[a] = struct{}{}
	})
	cfg.State.eachAddress(func(a netip.Addr) { d.changed.hosts[a] = struct{}{} })
	d.news = d.newNews(cfg.Events)
	d.touch()
	return d, nil
}

// Doubted returns the addresses whose user an earlier run was about to take back:
// rows of sessions may still say so.
func (d *Directory) Doubted() map[netip.Addr]struct{} { return d.doubted }

// touch has the changes written soon.
func (d *Directory) touch() {
	select {
	case d.wake <- struct{}{}:
	default: // they will be
	}
}

// Run writes changes, and forgets what is old, until ctx ends.
func (d *Directory) Run(ctx context.Context) error {
	tend := time.NewTicker(tendEvery)
	defer tend.Stop()
	end := time.NewTimer(d.endLogins())
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-d.evidence:
			d.take(e)
		case <-d.ends:
			end.Reset(d.endLogins())
		case <-end.C:
			end.Reset(d.endLogins())
		case <-tend.C:
			d.Tend()
			d.Flush()
		case <-d.wake:
			start := time.Now()
			d.Flush()
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(max(together, rest*time.Since(start))):
			}
		}
	}
}

// Stats are a Directory's figures.
type Stats struct {
	Hosts     int    `json:"hosts"`   // addresses known
	Devices   int    `json:"devices"` // devices known
	Users     int    `json:"users"`
	Limit     int    `json:"limit"`                // most addresses
	Moves     uint64 `json:"moves"`                // addresses that went to another device
	Disputed  uint64 `json:"disputed"`             // link-local addresses that a device on another link has, too
	Refused   uint64 `json:"refused"`              // addresses that found no place
	Evicted   uint64 `json:"evicted"`              // addresses that made room
	Aged      uint64 `json:"aged"`                 // addresses that were quiet too long
	Missed    uint64 `json:"missed"`               // observations that came faster than they were taken
	Failed    uint64 `json:"failed"`               // writes that a dictionary refused
	LastError string `json:"last_error,omitempty"` // of these
}

// Stats returns the figures.
func (d *Directory) Stats() Stats {
	s := Stats{
		Limit: d.cfg.Hosts, Moves: d.moves.Load(), Disputed: d.disputed.Load(), Refused: d.refused.Load(), Evicted: d.evicted.Load(),
		Aged: d.aged.Load(), Missed: d.missed.Load(), Users: d.cfg.State.users(),
	}
	for _, b := range d.books {
		s.Failed += b.failed.Load()
		if text := b.lastError.Load(); text != nil {
			s.LastError = *text
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Hosts, s.Devices = len(d.hosts), len(d.devices)
	return s
}
