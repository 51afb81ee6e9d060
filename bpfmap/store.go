// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Store is the tables of one network namespace.
type Store struct {
	ns    *netns
	mount *mount
	dir   *namespace

	mu     sync.Mutex // changes of view
	view   atomic.Pointer[view]
	closed bool
}

var (
	_ dict.Store   = (*Store)(nil)
	_ dict.Watcher = (*Store)(nil)
	_ dict.Changer = (*Store)(nil)
	_ dict.Counter = (*Store)(nil)
)

// Options say where a Store lives. The zero Options are what programs want.
type Options struct {
	// Dir is a directory of a bpffs, or one where a bpffs may be mounted; ""
	// means DefaultDir.
	Dir string
}

// view is the schema at one epoch.
type view struct {
	epoch  uint64
	tables map[string]*table // by canonical name
}

// table is the schema of a table at one epoch, and its maps.
type table struct {
	*handle
	schema dict.Table
	hidden map[string]bool // fields of the schema that only rules know
	fields map[string]int  // index by canonical name or alias
}

// errClosed is what a closed Store answers.
var errClosed = errors.New("store is closed")

// Open opens the tables of the calling thread's network namespace. The error
// wraps dict.ErrPermission or dict.ErrNotSupported where that is the cause.
func Open(o Options) (*Store, error) {
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	ns, err := currentNetns()
	if err != nil {
		return nil, err
	}
	m, err := bpffs(o.Dir)
	if err != nil {
		return nil, errors.Join(err, ns.close())
	}
	if _, err := os.Stat(namespaceDir(m.path, ns.cookie)); errors.Is(err, fs.ErrNotExist) {
		// What namespaces that are gone left behind is in nobody's way: better
		// no tidying than no tables.
		_ = prune(m.path)
	}
	n, err := openNamespace(m.path, ns)
	if err != nil {
		return nil, errors.Join(err, m.close(), ns.close())
	}
	s := &Store{ns: ns, mount: m, dir: n}
	s.view.Store(&view{epoch: removed - 1})
	if _, err := s.current(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close implements dict.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, t := range s.view.Load().tables {
		errs = append(errs, t.close())
	}
	s.view.Store(&view{epoch: removed - 1})
	return errors.Join(append(errs, s.dir.close(), s.mount.close(), s.ns.close())...)
}

// Remove deletes all tables of the namespace, also those that rules use, and
// what is pinned. Stores that others hold open find nothing any more; this one
// is good for Close only.
func (s *Store) Remove() error { return s.dir.remove() }

// Tables implements dict.Store.
func (s *Store) Tables() ([]dict.Table, error) {
	v, err := s.current()
	if err != nil {
		return nil, &dict.At{Op: "table list", Err: err}
	}
	out := make([]dict.Table, 0, len(v.tables))
	for _, t := range v.tables {
		out = append(out, t.shown())
	}
	slices.SortFunc(out, func(a, b dict.Table) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Table implements dict.Store.
func (s *Store) Table(name string) (dict.Table, error) {
	t, err := s.table("table", name)
	if err != nil {
		return dict.Table{}, err
	}
	return t.shown(), nil
}

// table finds a table in the schema as it is now.
func (s *Store) table(op, name string) (*table, error) {
	v, err := s.current()
	if err != nil {
		return nil, &dict.At{Op: op, Table: name, Err: err}
	}
	if t := v.tables[dict.Name(name)]; t != nil {
		return t, nil
	}
	return nil, &dict.At{Op: op, Table: name, Err: dict.ErrNotExist}
}

// current returns the schema as it is now.
func (s *Store) current() (*view, error) {
	v := s.view.Load()
	if v.epoch == s.dir.state.epoch.Load() {
		return v, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	release, err := s.lock(unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	defer release()
	return s.reload()
}

// lock takes the lock of the namespace's directory. The error wraps
// dict.ErrNotExist if somebody removed it.
func (s *Store) lock(how int) (release func(), err error) {
	release, err = s.dir.lock(how)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tables of this network namespace: %w: they were removed", dict.ErrNotExist)
	}
	return release, err
}

// reload reads the schema. The caller holds mu and the directory's lock.
func (s *Store) reload() (*view, error) {
	old := s.view.Load()
	found, epoch, err := s.dir.readSchema()
	if err != nil {
		return nil, err
	}
	handles := map[uint32]*handle{}
	for _, t := range old.tables {
		handles[t.id] = t.handle
	}
	next := &view{epoch: epoch, tables: map[string]*table{}}
	for _, f := range found {
		h := handles[f.id]
		delete(handles, f.id)
		if h == nil {
			h = &handle{id: f.id, dir: s.dir.pinDir(f.id), secret: s.dir.state.secret}
		}
		next.tables[f.table.Name] = newTable(h, f)
	}
	s.view.Store(next)
	for _, gone := range handles {
		if err := gone.close(); err != nil {
			return nil, err
		}
	}
	return next, nil
}

func newTable(h *handle, s tableSchema) *table {
	t := &table{handle: h, schema: s.table, hidden: s.hidden, fields: map[string]int{}}
	for i, f := range s.table.Fields {
		t.fields[f.Name] = i
		for _, a := range f.Aliases {
			t.fields[a] = i
		}
	}
	return t
}

// at is an error of a table with its place.
func (t *table) at(op string, key dict.Key, field string, err error) error {
	return &dict.At{Op: op, Table: t.schema.Name, Key: key.Text(), Field: field, Err: err}
}

// shown copies the schema, so that the caller may alter what he gets, without
// the fields that only rules know.
func (t *table) shown() dict.Table {
	out := t.schema
	out.Fields = slices.DeleteFunc(slices.Clone(out.Fields), func(f dict.Field) bool { return t.hidden[f.Name] })
	for i := range out.Fields {
		out.Fields[i].Aliases = slices.Clone(out.Fields[i].Aliases)
	}
	return out
}
