// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"fmt"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/session"
)

// leftRows are the rows of sessions that an earlier daemon has left.
type leftRows struct {
	ids    map[uint32]struct{}
	tuples map[uint32]conntrack.Tuple // what they tell, where they do
	says   map[uint32]session.Says
}

// readRows reads what is left.
func readRows(store dict.Store) (*leftRows, error) {
	l := &leftRows{make(map[uint32]struct{}), make(map[uint32]conntrack.Tuple), make(map[uint32]session.Says)}
	for row, err := range store.Rows(dict.Sessions) {
		if err != nil {
			return nil, err
		}
		id := row.Key.Uint32()
		l.ids[id] = struct{}{}
		if t, ok := session.TupleOf(&row); ok {
			l.tuples[id] = t
		}
		if s := session.SaysOf(&row); s != (session.Says{}) {
			l.says[id] = s
		}
	}
	return l, nil
}

// claim implements session.Claim: whether a connection is the one that a row tells of.
func (l *leftRows) claim(f *conntrack.Flow) (bool, session.Says) {
	t, told := l.tuples[f.ID]
	return !told || t == f.Orig, l.says[f.ID]
}

// regain gives connections their rows back whose entries an earlier daemon has made anew
// (offload.Carrier), and that it died over before it had written the rows under the new
// ids. That these connections were finished their marks say: without the row no rule would
// know them again.
func (l *leftRows) regain(store dict.Store, dump func(func(*conntrack.Flow)) error, finished uint32) (int, error) {
	if finished == 0 || len(l.tuples) == 0 {
		return 0, nil
	}
	alive, bare := make(map[uint32]struct{}), make(map[conntrack.Tuple]uint32)
	if err := dump(func(f *conntrack.Flow) {
		alive[f.ID] = struct{}{}
		if _, ok := l.ids[f.ID]; !ok && f.Mark&finished != 0 {
			bare[f.Orig] = f.ID
		}
	}); err != nil || len(bare) == 0 {
		return 0, err
	}
	n := 0
	for was, t := range l.tuples {
		now, ok := bare[t]
		if _, lives := alive[was]; !ok || lives {
			continue
		}
		row, err := store.Get(dict.Sessions, dict.CtID(was))
		switch {
		case errors.Is(err, dict.ErrNotExist): // it has ended meanwhile
			continue
		case err != nil:
			return n, err
		}
		if err := store.Put(dict.Sessions, dict.Row{Key: dict.CtID(now), Cells: row.Cells}); err != nil {
			return n, err
		}
		// The old one is nobody's, and goes with all of these.
		l.ids[now], l.tuples[now], l.says[now] = struct{}{}, t, l.says[was]
		delete(bare, t)
		n++
	}
	return n, nil
}

// pickUp makes sessions of the rows that an earlier daemon has left, and deletes
// those whose connection is gone.
func (d *Daemon) pickUp() error {
	left, err := readRows(d.o.Store)
	if err != nil {
		return fmt.Errorf("rows of an earlier run: %w", err)
	}
	found := len(left.ids)
	regained, err := left.regain(d.o.Store, (*kernel)(d).Dump, d.config.Load().Rules.FinishBit)
	if err != nil {
		d.o.Log.Error("connections whose entries were made anew stay without their rows", "err", err)
	}
	if err := d.table.Reconcile(time.Now(), left.ids, left.claim); err != nil {
		return err
	}
	d.reconciled.Add(1)
	if found > 0 {
		d.o.Log.Info("picked up rows of an earlier run", "rows", found, "gone", len(left.ids), "regained", regained)
	}
	return nil
}
