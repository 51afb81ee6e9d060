// SPDX-License-Identifier: MIT

package dicttest

import (
	"testing"
	"time"

	"nftdict/dict"
)

// Option tells Run what it cannot know about a store.
type Option func(*suite)

// suite is the store under test.
type suite struct {
	open  func(testing.TB) dict.Store
	sleep func(dict.Store, time.Duration)
	tied  bool
	hold  func(t testing.TB, s dict.Store, table string) (release func())

	// Both nil for a store that is private to the process.
	address func(dict.Store) string
	reopen  func(address string) (dict.Store, error)
}

// Sleep lets the store's time pass by d with f instead of real sleep.
func Sleep(f func(s dict.Store, d time.Duration)) Option {
	return func(x *suite) { x.sleep = f }
}

// Shared tells how the store is opened again, here and in another process:
// address names an open store, and reopen opens what is named so. The caller of
// reopen closes what it returns. Without this option the store is taken to be
// private to the process.
func Shared(address func(dict.Store) string, reopen func(address string) (dict.Store, error)) Option {
	return func(x *suite) { x.address, x.reopen = address, reopen }
}

// Hold tells how a rule comes to use a table; release ends the use.
func Hold(f func(t testing.TB, s dict.Store, table string) (release func())) Option {
	return func(x *suite) { x.hold = f }
}

// Tied says that the store sees conntrack entries go, so that rows of Bound
// tables are no leases and need an entry to be put.
func Tied() Option {
	return func(x *suite) { x.tied = true }
}

// Run runs the conformance suite. open returns a new store without any tables
// but the standard ones, and registers the clean-up of it; it is called by many
// parallel subtests. A store that is a dict.Watcher or a dict.Changer
// is tested as one.
//
// Where Shared is given, Run starts the test binary again as a writer of the
// same store, with -test.run naming the test that called Run: what that test
// does before Run happens in the other process too.
func Run(t *testing.T, open func(testing.TB) dict.Store, opts ...Option) {
	x := &suite{open: open, sleep: func(_ dict.Store, d time.Duration) { time.Sleep(d) }}
	for _, o := range opts {
		o(x)
	}
	if x.child(t) {
		return
	}
	sub := func(name string, f func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t)
		})
	}
	sub("tables", x.tables)
	sub("schemas", x.schemas)
	sub("fields", x.fields)
	sub("delete table", x.deleteTable)
	sub("values", x.values)
	sub("keys", x.keys)
	sub("merge", x.merge)
	sub("batch", x.batch)
	sub("add", x.add)
	sub("add to the limits", x.addEnds)
	sub("add, life", x.addLife)
	sub("add, full", x.addFull)
	sub("add, open table", x.addOpen)
	sub("adders", x.adders)
	sub("names", x.names)
	sub("defaults", x.defaults)
	sub("delete", x.delete)
	sub("flush", x.flush)
	sub("refusals", x.refusals)
	sub("limit", x.limit)
	sub("life", x.life)
	sub("expired rows make room", x.room)
	sub("open table", x.openTable)
	sub("iteration", x.iteration)
	sub("writers", x.writers)
	sub("incarnations", x.incarnations)
	sub("no row comes back", x.noReturn)
	sub("table deleted in use", x.deletedInUse)
	sub("racing admins", x.admins)
	sub("racing for the last place", x.lastPlace)
	if x.hold != nil {
		sub("busy", x.busy)
	}
	if !x.tied {
		sub("lease", x.lease)
	}
	if x.reopen != nil {
		sub("reopen", x.again)
		sub("two handles", x.handles)
		sub("two processes", x.processes)
		sub("processes that add", x.addProcesses)
		sub("killed writer", x.killedWriter)
		sub("killed admin", x.killedAdmin)
	}
	sub("changes", x.changes)
	sub("listen", x.listen)
	sub("watch", x.watch)
	sub("watch all", x.watchAll)
	sub("watch ends", x.watchEnds)
}
