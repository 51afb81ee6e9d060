// SPDX-License-Identifier: MIT

package session

import (
	"math"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// Rate is how fast a connection moves: a second's packets and bytes of the original
// and the reply direction.
type Rate struct {
	ID   uint32
	Zone uint16
	Orig conntrack.Tuple
	Way  [2]conntrack.Counter
}

// rateBatch is how many rows are written in one call. As long as that takes, the
// packets of their sessions wait.
const rateBatch = 256

// rateCells are the cells of a Rate.
const rateCells = 6

// Rate writes rates into the rows of their sessions by put, in batches; those of
// entries that are no session, or whose rows may not be written, are left out. It
// ends with the first error. put must not keep its argument.
func (t *Table) Rate(all []Rate, put func([]dict.Row) error) error {
	held := make([]*Session, 0, rateBatch)
	rows := make([]dict.Row, 0, rateBatch)
	cells := make([]dict.Cell, 0, rateBatch*rateCells)
	var failed error
	write := func() {
		if len(rows) > 0 && failed == nil {
			failed = put(rows)
		}
		for _, s := range held {
			s.mu.Unlock()
		}
		held, rows, cells = held[:0], rows[:0], cells[:0]
	}
	for i := range all {
		r := &all[i]
		s := t.entry(r)
		if s == nil {
			continue
		}
		// As in tell: others are not waited for while some are held.
		if len(held) == rateBatch || !s.mu.TryLock() {
			if write(); failed != nil {
				return failed
			}
			s.mu.Lock()
		}
		if !s.confirmed || !s.Writable() {
			s.mu.Unlock()
			continue
		}
		held = append(held, s)
		from := len(cells)
		cells = appendRate(cells, r.Way)
		rows = append(rows, dict.Row{Key: dict.CtID(s.id), Cells: cells[from:len(cells):len(cells)]})
	}
	write()
	return failed
}

// entry returns the session of a Rate's connection, unlocked, or nil.
func (t *Table) entry(r *Rate) *Session {
	s := t.ids.get(r.ID)
	if s == nil || s.orig != r.Orig || t.ids.ambiguous(r.ID) {
		return nil // nobody writes a row that two connections share
	}
	return s
}

func appendRate(dst []dict.Cell, way [2]conntrack.Counter) []dict.Cell {
	for _, c := range [...]struct {
		field string
		n     uint64
	}{
		{"byte_rate", way[0].Bytes + way[1].Bytes}, {"client_byte_rate", way[0].Bytes}, {"server_byte_rate", way[1].Bytes},
		{"packet_rate", way[0].Packets + way[1].Packets}, {"client_packet_rate", way[0].Packets}, {"server_packet_rate", way[1].Packets},
	} {
		dst = append(dst, dict.Cell{Field: c.field, Value: dict.Int64Value(int64(min(c.n, math.MaxInt64)))})
	}
	return dst
}
