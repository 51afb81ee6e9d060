// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"nftdict/dict"
	"nftdict/dictd/session"
)

// recorder writes the rows of sessions into a store. Errors are counted here
// and shown by status: the packet goes on.
type recorder struct {
	store     dict.Store
	links     *linkTypes // nil knows none
	postponed *postponed // nil: all is written at once
	scratch   sync.Pool  // *scratch

	puts, cells, full, failed atomic.Uint64
	deletes, renewed          atomic.Uint64
	lastError                 atomic.Pointer[string]
}

// scratch is what one Put needs, kept for the next.
type scratch struct {
	rows    []dict.Row
	gone    []string
	changes []dict.Cell
	whole   []dict.Cell
}

func newRecorder(store dict.Store) *recorder {
	r := &recorder{store: store}
	r.scratch.New = func() any { return new(scratch) }
	return r
}

// Packet writes what is new about a locked session before the verdict of its
// packet, which came under id. fresh says that no row is under that id yet. An
// unconfirmed session writes under the ids of its packets alone, while these
// wait: the others may be another connection's by now.
func (r *recorder) Packet(s *session.Session, id uint32, fresh bool) {
	if !s.Writable() {
		s.Unsent()
		return
	}
	x := r.scratch.Get().(*scratch)
	defer r.scratch.Put(x)
	x.rows = x.rows[:0]
	if fresh && !s.Written() && !s.Confirmed() { // mostly; all of it has changed
		x.changes = r.types(s.Changes(x.changes[:0]), s)
		x.rows = append(x.rows, dict.Row{Key: dict.CtID(id), Cells: x.changes, TTL: session.Provisional})
		r.put(s, x.rows)
		return
	}
	if fresh {
		x.whole = r.types(s.Whole(x.whole[:0]), s)
		x.rows = append(x.rows, dict.Row{Key: dict.CtID(id), Cells: x.whole, TTL: session.Provisional})
	}
	r.clear(s, x)
	if x.changes = r.types(s.Changes(x.changes[:0]), s); len(x.changes) > 0 && (s.Confirmed() || !fresh) {
		x.rows = append(x.rows, dict.Row{Key: dict.CtID(s.ID()), Cells: x.changes, TTL: ttl(s)})
	}
	r.put(s, x.rows)
}

// Later has a locked session written soon, or now.
func (r *recorder) Later(s *session.Session) {
	if s.Writable() && !r.postponed.add(s) {
		r.write(s, false)
	}
}

// Doubt has the row of a locked session say that it is not settled: anybody's rules that
// send to a flowtable what is, keep it.
func (r *recorder) Doubt(s *session.Session) {
	if s.Writable() {
		r.put(s, []dict.Row{{Key: dict.CtID(s.ID()), Cells: []dict.Cell{{Field: "final", Value: dict.BoolValue(false)}}, TTL: ttl(s)}})
	}
}

// types appends what kinds of interfaces those are that cells name.
func (r *recorder) types(cells []dict.Cell, s *session.Session) []dict.Cell {
	for i := range cells {
		field, index := "", uint32(0)
		switch cells[i].Field {
		case "client_interface_id":
			field, index = "client_interface_type", s.ClientIf
		case "server_interface_id":
			field, index = "server_interface_type", s.ServerIf
		default:
			continue
		}
		if kind, ok := r.links.get(index); ok {
			cells = append(cells, dict.Cell{Field: field, Value: dict.IntValue(int32(kind))})
		}
	}
	return cells
}

// ttl is how long a row of the session lives: 0, a lease, once it is confirmed.
func ttl(s *session.Session) time.Duration {
	if s.Confirmed() {
		return 0
	}
	return session.Provisional
}

// Write implements session.Rows. What a session has to tell when it is confirmed is
// written with what its next packet does, or soon.
func (r *recorder) Write(s *session.Session, whole bool) {
	if !whole && r.postponed.add(s) {
		return
	}
	r.write(s, whole)
}

// Settle implements session.Rows.
func (r *recorder) Settle(s *session.Session) { r.write(s, false) }

// Wanted implements session.Rows.
func (r *recorder) Wanted(id uint32) bool {
	row, err := r.store.Get(dict.Sessions, dict.CtID(id))
	if err != nil {
		return !errors.Is(err, dict.ErrNotExist)
	}
	bypass, ok := row.Get("bypass_packetd")
	return ok && !bypass.Bool()
}

func (r *recorder) write(s *session.Session, whole bool) {
	x := r.scratch.Get().(*scratch)
	defer r.scratch.Put(x)
	if whole {
		s.Unsent()
	}
	r.clear(s, x)
	x.changes = r.types(s.Changes(x.changes[:0]), s)
	x.rows = append(x.rows[:0], dict.Row{Key: dict.CtID(s.ID()), Cells: x.changes, TTL: ttl(s)})
	r.put(s, x.rows)
}

// Tell implements session.Rows.
func (r *recorder) Tell(sessions []*session.Session) {
	var cells []dict.Cell
	rows := make([]dict.Row, 0, len(sessions))
	x := r.scratch.Get().(*scratch)
	defer r.scratch.Put(x)
	for _, s := range sessions {
		r.clear(s, x)
		from := len(cells)
		if cells = s.ClientChanges(cells); len(cells) > from {
			rows = append(rows, dict.Row{Key: dict.CtID(s.ID()), Cells: cells[from:len(cells):len(cells)]})
		}
	}
	if len(rows) == 0 {
		return
	}
	r.count(rows)
	if err := r.store.Put(dict.Sessions, rows...); err != nil {
		for _, s := range sessions {
			s.Unsent()
		}
		r.failure(err)
	}
}

// Name implements session.Rows.
func (r *recorder) Name(s *session.Session) {
	r.put(s, []dict.Row{{Key: dict.CtID(s.ID()), Cells: s.NameCells(nil), TTL: ttl(s)}})
}

// clear deletes what is no longer known of a session's client.
func (r *recorder) clear(s *session.Session, x *scratch) {
	if x.gone = s.Gone(x.gone[:0]); !s.Confirmed() || len(x.gone) == 0 {
		return
	}
	if r.store.Delete(dict.Sessions, dict.CtID(s.ID()), x.gone...) == nil {
		return
	}
	// One of them was not there, and none is deleted.
	for _, field := range x.gone {
		if err := r.store.Delete(dict.Sessions, dict.CtID(s.ID()), field); err != nil && !errors.Is(err, dict.ErrNotExist) {
			r.failed.Add(1)
			r.note(err)
		}
	}
}

func (r *recorder) put(s *session.Session, rows []dict.Row) {
	if len(rows) == 0 {
		return
	}
	r.count(rows)
	if err := r.store.Put(dict.Sessions, rows...); err != nil {
		s.Unsent() // all of it with the next change
		r.failure(err)
	}
}

func (r *recorder) count(rows []dict.Row) {
	r.puts.Add(1)
	for i := range rows {
		r.cells.Add(uint64(len(rows[i].Cells)))
	}
}

// failure counts a Put that was refused.
func (r *recorder) failure(err error) {
	if errors.Is(err, dict.ErrFull) {
		r.full.Add(1)
	} else {
		r.failed.Add(1)
	}
	r.note(err)
}

// Delete implements session.Rows.
func (r *recorder) Delete(id uint32) {
	switch err := r.store.Delete(dict.Sessions, dict.CtID(id)); {
	case err == nil:
		r.deletes.Add(1)
	case !errors.Is(err, dict.ErrNotExist):
		r.failed.Add(1)
		r.note(err)
	}
}

// Renew implements session.Rows.
func (r *recorder) Renew(ids []uint32) {
	keys := make([]dict.Key, len(ids))
	for i, id := range ids {
		keys[i] = dict.CtID(id)
	}
	n, err := r.store.Renew(dict.Sessions, 0, keys...)
	r.renewed.Add(uint64(n))
	if err != nil {
		r.failed.Add(1)
		r.note(err)
	}
}

func (r *recorder) note(err error) {
	text := err.Error()
	r.lastError.Store(&text)
}
