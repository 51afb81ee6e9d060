// SPDX-License-Identifier: MIT

package quota

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// Directory tells who there is: an identity.Directory.
type Directory interface {
	Users() []identity.User
	Devices() []identity.Device
	Hosts() []identity.Host
	// Party returns who has an address, zeros and "" as far as that is not known.
	Party(addr netip.Addr) (mac [6]byte, user string, known bool)
}

// Config of a Manager.
type Config struct {
	Store     dict.Store
	Directory Directory
	Plans     []*plan.Plan
	State     string // directory of the file of what survives a restart; "" keeps nothing
	Clock     func() time.Time
	Events    *event.Log // may be nil
	// Near is how many bytes of a budget are its end: what its subject moves is kept
	// off flowtables then. Recall, which may be nil, has what is there already taken
	// back; it is called with the Manager locked, must not call it, and not wait.
	Near   int64
	Recall func([]plan.Subject)
	// Passing says for how long a budget without end is kept of a user who is gone, by a
	// plan; 0 is for as long as there is room. It may be nil. It is called with the
	// Manager locked, and must not call it.
	Passing func(user, plan string) time.Duration
	Log     *slog.Logger
}

// Manager keeps budgets. Its methods may be called by many goroutines.
type Manager struct {
	cfg   Config
	state *state

	mu      sync.Mutex // held while budgets are looked at or changed
	plans   []*plan.Plan
	budgets map[id]*budget
	saved   map[id]record     // as in the file, of budgets that are not kept now, too
	groups  map[string]string // the group whose budget a user shares, as written
	clean   bool              // rows have nothing of plans that are gone
	out     writes
	over    []past
	gone    map[id]bool   // to be forgotten; true: with the history
	tidied  time.Time     // when it was looked for these
	left    map[id]record // of budgets that are not kept any more, to be saved
	looked  time.Time
	events  []event.Event
	near    map[plan.Subject]int // how many of a subject's budgets are near their ends
	nearing []plan.Subject       // that have come near an end since the rows were written
	failed  string               // what went wrong last, that it is told once

	booking sync.Mutex // never waited for with mu
	booked  map[booking]octets
}

// Times of a Manager.
const (
	lookEvery = time.Second
	// soon is the least between two looks: news come together.
	soon = 50 * time.Millisecond
	// rest is how many times as long as a look took nothing is looked at: a look may
	// take a twentieth of a processor.
	rest = 19
	// latest is the longest between two looks: what is lost when the power goes is
	// what passed since the last one.
	latest = 4 * time.Second
)

// New returns a Manager with what an earlier one has written. Nothing is changed
// yet but the fields of tables. Close must follow.
func New(cfg Config) (*Manager, error) {
	m := &Manager{cfg: cfg, budgets: make(map[id]*budget), groups: make(map[string]string), near: make(map[plan.Subject]int), left: make(map[id]record), gone: make(map[id]bool), out: newWrites(), booked: make(map[booking]octets)}
	dir := cfg.State
	if len(cfg.Plans) == 0 {
		dir = "" // no file without need
	}
	var err error
	if m.state, err = openState(dir); err != nil {
		return nil, err
	}
	if m.saved, err = m.state.read(); err != nil {
		// Better some budgets from the beginning than none.
		cfg.Log.Error("the file of quotas is not sound, what cannot be read begins anew", "err", err)
	}
	if err := m.SetPlans(cfg.Plans); err != nil {
		return nil, errors.Join(err, m.state.close())
	}
	return m, nil
}

// Close closes the file.
func (m *Manager) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.close()
}

// SetPlans takes over plans in place of those before, and makes the fields that
// they need. Budgets follow with the next look: the rules come after it.
func (m *Manager) SetPlans(plans []*plan.Plan) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.makeFields(plans); err != nil {
		return err
	}
	if len(plans) > 0 && m.state.db == nil && m.cfg.State != "" {
		s, err := openState(m.cfg.State)
		if err != nil {
			return err
		}
		m.state = s
		if m.saved, err = s.read(); err != nil {
			m.cfg.Log.Error("the file of quotas is not sound, what cannot be read begins anew", "err", err)
		}
	}
	m.plans, m.clean = plans, false
	return nil
}

// Run looks at budgets until ctx ends, and once more then. Who comes, or is in other
// groups, has a budget soon.
func (m *Manager) Run(ctx context.Context) error {
	news := m.cfg.Events.Subscribe(m.cfg.Events.Position(), event.Of(event.UserNew, event.UserChanged, event.UserGone, event.DeviceNew, event.HostNew))
	defer news.Close()
	some := make([]event.Event, 256)
	for {
		begin := time.Now()
		m.Look()
		least := min(max(soon, rest*time.Since(begin)), latest)
		select {
		case <-ctx.Done():
			m.Look()
			return nil
		case <-time.After(least):
		}
		if _, err := news.ReadWithin(ctx, max(lookEvery-least, 0), some); err != nil {
			m.Look()
			return nil
		}
	}
}

// Look brings all budgets up to date with their rows, the time and who there is,
// and saves what has changed.
func (m *Manager) Look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.plans) == 0 && m.clean {
		return
	}
	now := m.cfg.Clock()
	if len(m.budgets) == 0 { // what is booked already is somebody's
		m.refresh()
	}
	m.settle()
	m.refresh()
	err := m.lookAt(m.budgets, m.groups, now)
	if err == nil && !m.clean {
		err = m.sweep()
	}
	m.looked = now
	_ = m.finish(err) // it is in the log
	m.takeBack(true)
}

// lookAt steps some budgets, and has users' rows lead to their groups.
func (m *Manager) lookAt(budgets map[id]*budget, groups map[string]string, now time.Time) error {
	rows := make(map[at]*dict.Row, len(budgets)+len(groups))
	for _, b := range budgets {
		rows[at{b.id.subject.Kind, b.key}] = nil
	}
	led := make(map[dict.Key]string, len(groups))
	for name, group := range groups {
		if key, err := dict.StringKey(name); err == nil {
			rows[at{plan.User, key}], led[key] = nil, group
		}
	}
	if err := m.rows(rows); err != nil {
		return err
	}
	for key, group := range led {
		m.lead(key, rows[at{plan.User, key}], group)
	}
	late := 0
	for _, b := range budgets {
		r := rows[at{b.id.subject.Kind, b.key}]
		if b.Plan == "" {
			r = m.adopt(b, r, now)
		}
		if b.early(now) {
			late++
		}
		m.step(b, r, now)
	}
	if late > 0 {
		m.cfg.Log.Warn("the clock was ahead: periods that it began are over when those of now are, with what is left", "budgets", late)
	}
	for _, b := range budgets {
		r := rows[at{b.id.subject.Kind, b.key}]
		if r == nil {
			r = new(dict.Row)
		}
		m.keepOff(b, r)
	}
	return nil
}

// maxOver bounds the periods that wait for a file that cannot be written.
const maxOver = 65536

// finish writes what was found out, saves it, and tells of it.
func (m *Manager) finish(err error) error {
	m.over = m.over[max(0, len(m.over)-maxOver):]
	if len(m.over) > 0 {
		// First: once a row is of the next period nothing knows of the one before.
		if failed := m.state.save(nil, m.over, nil); failed != nil {
			err = errors.Join(err, failed)
		} else {
			m.over = nil
		}
	}
	failed, unwritten := m.out.flush(m.cfg.Store)
	err = errors.Join(err, unwritten)
	m.events = slices.DeleteFunc(m.events, func(e event.Event) bool {
		n, ok := e.Data.(Notice)
		return ok && failed[n.table]
	})
	records := maps.Clone(m.left)
	for i, b := range m.budgets {
		if failed[b.id.subject.Kind.Table()] { // rows are the truth: all of it is found out again
			b.owed, b.Plan = b.owed+b.taken, ""
		}
		b.taken = 0
		if b.changed && b.Plan != "" {
			records[i] = b.record
		}
	}
	if len(records)+len(m.gone) > 0 {
		if failed := m.state.save(records, nil, m.gone); failed != nil {
			err = errors.Join(err, failed)
		} else {
			for i, r := range records {
				m.saved[i] = r
				if b := m.budgets[i]; b != nil {
					b.changed = false
				}
			}
			clear(m.left)
			for i := range m.gone {
				delete(m.saved, i)
			}
			clear(m.gone)
		}
	}
	for _, e := range m.events {
		m.cfg.Events.Publish(e)
	}
	m.events = nil
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != m.failed {
		m.cfg.Log.Error("quotas cannot be kept, it is tried again", "err", err)
	}
	m.failed = text
	return err
}

// close remembers the period of a budget.
func (m *Manager) close(b *budget, now time.Time) {
	end := b.End
	if end.IsZero() || end.After(now) {
		end = now.UTC()
	}
	m.over = append(m.over, past{b.id, Past{b.Plan, b.plan.Unit.String(), b.Start, end, b.Size, b.used(), b.Exceeded}})
}

// at names a row.
type at struct {
	kind plan.Kind
	key  dict.Key
}

// few is how many rows of a table are fetched one by one; more are read with all.
const few = 32

// rows reads the rows that are named.
func (m *Manager) rows(rows map[at]*dict.Row) error {
	var count [len(tables)]int
	for a := range rows {
		count[a.kind]++
	}
	for kind, table := range tables {
		if count[kind] <= few {
			continue
		}
		for r, err := range m.cfg.Store.Rows(table) {
			if err != nil {
				return err
			}
			if _, ok := rows[at{plan.Kind(kind), r.Key}]; ok {
				rows[at{plan.Kind(kind), r.Key}] = &r
			}
		}
	}
	for a := range rows {
		if count[a.kind] > few {
			continue
		}
		r, err := m.cfg.Store.Get(tables[a.kind], a.key)
		switch {
		case err == nil:
			rows[a] = &r
		case !errors.Is(err, dict.ErrNotExist):
			return err
		}
	}
	return nil
}
