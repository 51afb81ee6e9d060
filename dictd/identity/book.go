// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"nftdict/dict"
)

// book writes the rows of one table and remembers what it wrote, so that what
// is no longer so is taken back, and nothing is written twice.
type book struct {
	store  dict.Store
	table  string
	fields []string
	wants  map[dict.Key]cells // nil: nothing
	wrote  map[dict.Key]cells
	doubt  atomic.Bool // rows may not be as they were written

	failed    atomic.Uint64
	lastError atomic.Pointer[string]
}

// batch is how many rows are written in one call.
const batch = 1000

func newBook(store dict.Store, table string, fields []string) *book {
	return &book{store: store, table: table, fields: fields, wants: make(map[dict.Key]cells), wrote: make(map[dict.Key]cells)}
}

// adopt returns the rows that have all of some fields, without those of others,
// and counts them as written.
func (b *book) adopt(has ...string) ([]dict.Row, error) {
	var rows []dict.Row
	for r, err := range b.store.Rows(b.table) {
		if err != nil {
			return nil, fmt.Errorf("rows of an earlier run: %w", err)
		}
		if slices.ContainsFunc(has, func(f string) bool { _, ok := r.Get(f); return !ok }) {
			continue
		}
		r.Cells = slices.DeleteFunc(r.Cells, func(c dict.Cell) bool { return !slices.Contains(b.fields, c.Field) })
		rows = append(rows, r)
		b.wrote[r.Key] = r.Cells
	}
	return rows, nil
}

func (b *book) want(k dict.Key, c cells) {
	if c == nil {
		c = cells{}
	}
	b.wants[k] = c
}

func (b *book) drop(k dict.Key) { b.wants[k] = nil }

// write makes the rows as they are wanted. What is gone goes first: a row never
// says of one what was said of another. What could not be
// deleted is tried again with the next round.
func (b *book) write() {
	doubt := b.doubt.Swap(false)
	var rows []dict.Row
	again := make(map[dict.Key]cells)
	for k, want := range b.wants {
		had, there := b.wrote[k]
		var stay cells
		for _, c := range had {
			if !slices.ContainsFunc(want, func(w dict.Cell) bool { return w.Field == c.Field }) && !b.delete(k, c.Field) {
				stay = append(stay, c)
			}
		}
		if stay != nil {
			again[k] = want
		}
		if want == nil {
			if stay != nil {
				b.wrote[k] = stay
				continue
			}
			if there {
				b.deleteEmpty(k)
				delete(b.wrote, k)
			}
			continue
		}
		b.wrote[k] = slices.Concat(want, stay)
		changed := want
		if there && !doubt {
			changed = slices.DeleteFunc(slices.Clone(want), func(c dict.Cell) bool { return slices.Contains(had, c) })
		}
		if !there || doubt || len(changed) > 0 {
			rows = append(rows, dict.Row{Key: k, Cells: changed})
		}
	}
	b.wants = again
	patience := maxRefused
	for len(rows) > 0 {
		n := min(len(rows), batch)
		b.put(rows[:n], &patience)
		rows = rows[n:]
	}
}

// maxRefused is how many rows of a round may be refused before batches that are
// refused are left to the next one.
const maxRefused = 32

// put writes rows. One that is refused keeps no other from being written.
func (b *book) put(rows []dict.Row, patience *int) {
	err := b.store.Put(b.table, rows...)
	if err == nil {
		return
	}
	b.doubt.Store(true) // Tend has all of them written
	if len(rows) == 1 || *patience <= 0 {
		*patience--
		b.note(err)
		return
	}
	b.put(rows[:len(rows)/2], patience)
	b.put(rows[len(rows)/2:], patience)
}

// assume counts a field as written that an earlier run may have written.
func (b *book) assume(k dict.Key, field string) {
	for _, c := range b.wrote[k] {
		if c.Field == field {
			return
		}
	}
	b.wrote[k] = append(b.wrote[k], dict.Cell{Field: field})
}

// waits reports whether a row could not be written as it is wanted.
func (b *book) waits(k dict.Key) bool {
	_, waits := b.wants[k]
	return waits
}

// deleteEmpty deletes a row in which nobody else has written.
func (b *book) deleteEmpty(k dict.Key) {
	r, err := b.store.Get(b.table, k)
	if err == nil && len(r.Cells) == 0 {
		err = b.store.Delete(b.table, k)
	}
	if err != nil && !errors.Is(err, dict.ErrNotExist) {
		b.note(err)
	}
}

// delete reports whether a field is not there any more.
func (b *book) delete(k dict.Key, field string) bool {
	err := b.store.Delete(b.table, k, field)
	if err == nil || errors.Is(err, dict.ErrNotExist) {
		return true
	}
	b.note(err)
	return false
}

func (b *book) note(err error) {
	b.failed.Add(1)
	text := err.Error()
	b.lastError.Store(&text)
}
