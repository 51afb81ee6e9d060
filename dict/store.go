// SPDX-License-Identifier: MIT

package dict

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Store keeps tables and rows. All methods may be called by many goroutines,
// and several processes may open the same store.
//
// A method that returns an error has changed nothing, but for Put of several
// rows, where each row is all or nothing. Errors name table, key and field and
// wrap this package's sentinels; what a backend cannot do is ErrNotSupported.
type Store interface {
	// AddTable creates a table. ErrExist if the name is taken.
	AddTable(Table) error
	// AddFields adds fields to a table while rules and readers use it.
	AddFields(table string, fields ...Field) error
	// DeleteTable removes a table and its rows; ErrBusy while a rule uses it.
	DeleteTable(name string) error
	// Tables lists all tables, sorted by name.
	Tables() ([]Table, error)
	// Table returns one table by name in any spelling, ErrNotExist.
	Table(name string) (Table, error)

	// Put merges rows into a table in the order given: cells given replace,
	// others stay, and the row's life starts anew from TTL. A row without cells
	// is a row. Put goes on after a row that is refused; the error joins those of
	// all refused rows. ErrFull when a new row finds no place, which is counted in
	// Stats, or a cell does not. Readers see a new row whole or not at all; of a merge they may see
	// one cell before another while it goes on, and all or none of it afterwards,
	// even if the writer is killed.
	Put(table string, rows ...Row) error
	// Add adds to numbers: the value of each cell is an amount, negative to take
	// away, for a field of type int or int64 (an int will do for an int64). It
	// counts from the value that is there, else from the field's default, else
	// from 0, and stays at the limits of the type; in an Open table a value of
	// another type than the amount's counts as 0. Nothing is lost that rules'
	// add and sub, or other writers, do to the same field meanwhile. A row that
	// is not there appears, and lives as with Put; the life of one that is there
	// is left alone, whatever its TTL says. Everything else, errors too, is as
	// with Put; besides, a field named twice is ErrInvalid.
	Add(table string, rows ...Row) error
	// Renew starts the life of rows that exist anew, for ttl (0: the table's
	// Timeout, Lease in a Bound table without one), and returns how many rows
	// that was. Keys that have no row are passed over.
	Renew(table string, ttl time.Duration, keys ...Key) (int, error)
	// Get returns a row, cells in the order of the schema. ErrNotExist if there
	// is none. Defaults are for rules only and never appear.
	Get(table string, key Key) (Row, error)
	// Delete removes a row, or only the named fields of it. ErrNotExist if the
	// row, or one of the fields, is not there. A row whose last field is deleted
	// stays, without cells; what is left keeps its life.
	Delete(table string, key Key, fields ...string) error
	// Rows iterates over a table in no order. A row that stays for the whole
	// iteration is seen once; one that comes or goes meanwhile may be missed. An
	// error ends the iteration.
	Rows(table string) iter.Seq2[Row, error]
	// Stats returns a table's figures.
	Stats(table string) (Stats, error)

	// Close releases the store's handles; tables and rows stay.
	Close() error
}

// Stats are a table's figures.
type Stats struct {
	Rows    int    `json:"rows"`    // rows alive now
	Limit   int    `json:"limit"`   // most rows
	Refused uint64 `json:"refused"` // rows refused because the table was full, since it was made, by all writers
}

// Watcher is a Store that can tell of changes, its own and others'.
type Watcher interface {
	// Watch calls f for every change of the named tables (all, if none) until
	// ctx ends or f returns an error, and returns ctx's error or f's. f is called
	// by one goroutine at a time. Rows that exist at the start are not reported; a
	// row that ends by its TTL is reported as Deleted. Renew is no change. A
	// backend that looks for changes from time to time merges what happened in
	// between.
	Watch(ctx context.Context, f func(Change) error, tables ...string) error
}

// Change is one change of a row.
type Change struct {
	Table string     `json:"table"`
	Kind  ChangeKind `json:"kind"`
	Row   Row        `json:"row"` // Set: the cells that changed. Deleted: key alone, or the cells that went, without values
}

// Changer is a Store that can tell whether rows of a table have changed without a look
// at them.
type Changer interface {
	// Changes returns a number that is another after rows of the table were written
	// or deleted, by whomever. It need not be after rules have added to a number,
	// which they may do with every packet, or after a row has ended by its TTL; and
	// it may be when nothing has changed. What it is compared with is read before
	// the rows are. ErrNotExist if there is no such table.
	Changes(table string) (uint64, error)
}

// Counter is a Store that can tell whether rules have counted without a look at rows.
type Counter interface {
	// Counts returns a number that is another after rules have added to numbers of the
	// table. ErrNotExist if there is no such table.
	Counts(table string) (uint64, error)
}

// Listener is a Store that tells at once of what is written, for those who need not know
// of what is counted, nor keep a copy.
type Listener interface {
	// Listen calls f for what is written into the named tables or deleted from them (all,
	// if none), by whomever, until ctx ends or f returns an error, and returns ctx's error or f's. The
	// row of a change has its key, and those cells that were written or went. Of tables
	// whose rows die with their conntrack entry only rows are told whose connection is in
	// a flowtable. A change that names a table and no key says that rows of it were written
	// of which nothing is told: so it is, up to a second later, where rules have added to
	// numbers of rows that are there; and that the table came or went. One that names no table says that it may be so with
	// all: that is the first. f is called by one goroutine at a time.
	Listen(ctx context.Context, f func(Change) error, tables ...string) error
}

// ChangeKind tells what happened.
type ChangeKind uint8

// The kinds of changes.
const (
	Set     ChangeKind = iota // cells were written, or a row appeared
	Deleted                   // a row, or the named cells of it, went
)

// Flusher is a Store that can delete all rows of a table at once.
type Flusher interface {
	// Flush deletes all rows of a table and returns how many there were.
	Flush(table string) (int, error)
}

// Flush deletes all rows of a table and returns how many it deleted: at once
// where the store is a Flusher, else one after the other.
func Flush(s Store, table string) (int, error) {
	if f, ok := s.(Flusher); ok {
		return f.Flush(table)
	}
	n := 0
	for r, err := range s.Rows(table) {
		if err != nil {
			return n, err
		}
		switch err := s.Delete(table, r.Key); {
		case err == nil:
			n++
		case !errors.Is(err, ErrNotExist):
			return n, err
		}
	}
	return n, nil
}
