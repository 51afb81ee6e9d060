// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/dictd/quota"
)

// When rows are looked at: tables are asked every rowsTick whether they have changed, and
// read if they have, or if the last look was rowsEvery ago. Looks at a table take one of
// rowsShare parts of a processor's time, of which rowsCredit can be saved for several in a
// row. So it is with a store that is no dict.Listener. Of connections the pauses grow to
// rowsRest while no row of theirs is written.
const (
	rowsTick   = 75 * time.Millisecond
	rowsEvery  = time.Second
	rowsRest   = 16 * time.Second
	rowsShare  = 20
	rowsCredit = 100 * time.Millisecond
)

// rowSum is what is kept of a row.
type rowSum struct {
	sum  uint64
	told uint64 // of what is in it that is not found out, see isFound
}

// watchedTable is a table of whose rows somebody's connections are.
type watchedTable struct {
	name    string
	kind    offload.WhomKind
	known   map[dict.Key]rowSum // of the last look; nil before the first
	changes uint64              // the table's number, read before that
	credit  time.Duration       // what looks may take at the time at; it is not looked at while that is less than nothing
	at      time.Time
	looks   time.Time // it is looked at from then on, whatever its number says, unless its store knows better
	rest    time.Duration
	counts  uint64    // what rules have counted, read with changes
	ends    time.Time // when the first row ends by itself; zero for never
	due     bool      // it is to be looked at as soon as may be
}

// rowWatch finds rows that say something else.
type rowWatch struct {
	store  dict.Store
	flows  func(func(*conntrack.Flow)) error // calls it for those in flowtables
	seed   maphash.Seed
	tables []*watchedTable
}

func newRowWatch(store dict.Store, flows func(func(*conntrack.Flow)) error) *rowWatch {
	w := &rowWatch{store: store, flows: flows, seed: maphash.MakeSeed()}
	for name, kind := range map[string]offload.WhomKind{
		dict.Sessions: offload.OfCt, dict.Hosts: offload.OfHost, dict.Devices: offload.OfDevice, dict.Users: offload.OfUser, dict.Groups: offload.OfGroup,
	} {
		w.tables = append(w.tables, &watchedTable{name: name, kind: kind})
	}
	return w
}

// forget has the next look be the first, and has it not wait.
func (w *rowWatch) forget() {
	for _, t := range w.tables {
		t.known, t.credit = nil, max(t.credit, 0)
	}
}

// known reports whether every table has been looked at.
func (w *rowWatch) known() bool {
	return !slices.ContainsFunc(w.tables, func(t *watchedTable) bool { return t.known == nil })
}

// look returns whose rows say something else than at the last look, of the tables whose
// turn it is. What an error keeps from being seen is seen the next time.
func (w *rowWatch) look() (whom []offload.Whom, err error) {
	var errs []error
	for _, t := range w.tables {
		some, err := w.lookAt(t)
		whom = append(whom, some...)
		errs = append(errs, err)
	}
	return whom, errors.Join(errs...)
}

// mayLook reports whether a table may be looked at now.
func (t *watchedTable) mayLook(now time.Time) bool {
	t.credit, t.at = min(t.credit+now.Sub(t.at)/rowsShare, rowsCredit), now
	return t.credit >= 0
}

func (w *rowWatch) lookAt(t *watchedTable) ([]offload.Whom, error) {
	begin := time.Now()
	if !t.mayLook(begin) {
		return nil, nil
	}
	var changes, counts uint64
	if c, ok := w.store.(dict.Changer); ok {
		var err error
		if changes, err = c.Changes(t.name); err != nil && !errors.Is(err, dict.ErrNotSupported) {
			return nil, err
		}
	}
	moved := t.known == nil || changes != t.changes
	if !moved && begin.Before(t.looks) {
		return nil, nil
	}
	if c, ok := w.store.(dict.Counter); ok && t.kind != offload.OfCt {
		var err error
		if counts, err = c.Counts(t.name); err != nil {
			return nil, err
		}
		if !moved && counts == t.counts && (t.ends.IsZero() || begin.Before(t.ends)) {
			t.looks = begin.Add(rowsEvery)
			return nil, nil
		}
	}
	whom, err := w.read(t, begin)
	// Connections that come into a flowtable have rows of late, mostly.
	if t.rest = min(2*t.rest, rowsRest); moved || t.kind != offload.OfCt {
		t.rest = rowsEvery
	}
	t.looks = begin.Add(t.rest)
	if err == nil {
		t.changes, t.counts = changes, counts
	}
	return whom, err
}

// read looks at a table whatever has changed, from begin on.
func (w *rowWatch) read(t *watchedTable, begin time.Time) ([]offload.Whom, error) {
	now, err := w.sums(t)
	t.credit -= time.Since(begin)
	if err != nil {
		return nil, err
	}
	whom := w.changed(t, t.known, now)
	t.known = now
	return whom, nil
}

// changed is changedRows of a table. Rules find rows of devices, and by these of users and
// groups, by the frame as well: such a row may be about what is behind a device, of which
// nobody knows the addresses.
func (w *rowWatch) changed(t *watchedTable, before, now map[dict.Key]rowSum) []offload.Whom {
	whom := changedRows(t.kind, before, now)
	switch t.kind {
	case offload.OfDevice, offload.OfUser, offload.OfGroup:
		if toldOtherwise(before, now) {
			whom = append(whom, offload.Whom{Kind: offload.Strangers})
		}
	}
	return whom
}

// sums looks at all rows of a table that matter.
func (w *rowWatch) sums(t *watchedTable) (map[dict.Key]rowSum, error) {
	of := make(map[dict.Key]rowSum)
	if t.kind != offload.OfCt {
		var left time.Duration
		begin := time.Now()
		for row, err := range w.store.Rows(t.name) {
			if err != nil {
				return nil, err
			}
			of[row.Key] = sumRow(w.seed, &row)
			if row.TTL > 0 && (left == 0 || row.TTL < left) {
				left = row.TTL
			}
		}
		if t.ends = (time.Time{}); left > 0 {
			t.ends = begin.Add(left)
		}
		return of, nil
	}
	if err := w.flows(func(f *conntrack.Flow) { of[dict.CtID(f.ID)] = rowSum{} }); err != nil {
		return nil, err
	}
	for key := range of {
		switch row, err := w.store.Get(t.name, key); {
		case err == nil:
			of[key] = sumRow(w.seed, &row)
		case !errors.Is(err, dict.ErrNotExist):
			return nil, err
		}
	}
	return of, nil
}

// sumRow returns a sum of what a row says but for its figures: of budgets those who keep
// them take back what is near an end.
func sumRow(seed maphash.Seed, row *dict.Row) (s rowSum) {
	for _, c := range row.Cells {
		if isFigure(c.Field) || c.Field == quota.NoOffload && !c.Value.Bool() {
			continue
		}
		var h maphash.Hash
		h.SetSeed(seed)
		h.WriteString(c.Field)
		h.WriteByte(0)
		h.WriteString(c.Value.String())
		n := h.Sum64()
		s.sum += n // in whatever order they come
		if !isFound(c.Field) {
			s.told += n
		}
	}
	return s
}

// isFound reports whether a field is one of those that dictd finds out all the time of
// devices that come and go.
func isFound(field string) bool {
	switch field {
	case "interface", "mac_address_vendor", "hostname", "device_profile":
		return true
	}
	return false
}

// toldOtherwise reports whether rows say something else now that is not found out. Before
// the first look nothing was known.
func toldOtherwise(before, now map[dict.Key]rowSum) bool {
	if before == nil {
		return false
	}
	for key, is := range now {
		if before[key].told != is.told {
			return true
		}
	}
	for key, was := range before {
		if now[key].told != was.told {
			return true
		}
	}
	return false
}

// changedRows returns whose connections rows are about that say something else now, or
// have come or gone. Before the first look nothing was known, nor was it of connections
// that were not in a flowtable then. Who has just been found is told of: where he sends
// first the answer may be in a flowtable before the kernel asks who has his address.
func changedRows(kind offload.WhomKind, before, now map[dict.Key]rowSum) (whom []offload.Whom) {
	if before == nil {
		return nil
	}
	for key, is := range now {
		if was, ok := before[key]; was.sum != is.sum && (ok || kind != offload.OfCt) {
			whom = append(whom, offload.Whom{Kind: kind, Name: key.String()})
		}
	}
	for key, was := range before {
		if _, ok := now[key]; !ok && was.sum != 0 && kind != offload.OfCt {
			whom = append(whom, offload.Whom{Kind: kind, Name: key.String()})
		}
	}
	return whom
}
