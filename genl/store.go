// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Store is the tables of one network namespace.
type Store struct {
	pool *pool
	ns   *netns // nil in tests without a kernel

	mu     sync.Mutex
	tables map[string]*table // as last told, by canonical name
}

var (
	_ dict.Store    = (*Store)(nil)
	_ dict.Watcher  = (*Store)(nil)
	_ dict.Changer  = (*Store)(nil)
	_ dict.Listener = (*Store)(nil)
	_ dict.Flusher  = (*Store)(nil)
)

// Open opens the tables of the calling thread's network namespace. The error
// wraps dict.ErrNotSupported where the module is not loaded, and
// dict.ErrPermission where CAP_NET_ADMIN is missing.
func Open() (*Store, error) {
	ns, err := currentNetns()
	if err != nil {
		return nil, err
	}
	s := &Store{ns: ns, pool: &pool{dial: ns.dial}, tables: map[string]*table{}}
	if _, err := s.list(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close implements dict.Store.
func (s *Store) Close() error {
	first, err := s.pool.close()
	if first && s.ns != nil {
		err = errors.Join(err, s.ns.close())
	}
	return err
}

// Tied tells that rows of Bound tables go with their conntrack entries, whoever runs.
func (s *Store) Tied() {}

// Tables implements dict.Store.
func (s *Store) Tables() ([]dict.Table, error) {
	found, err := s.list()
	if err != nil {
		return nil, &dict.At{Op: "table list", Err: err}
	}
	out := make([]dict.Table, len(found))
	for i, t := range found {
		out[i] = t.schema
	}
	slices.SortFunc(out, func(a, b dict.Table) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Table implements dict.Store.
func (s *Store) Table(name string) (dict.Table, error) {
	t, err := s.ask(name)
	if err != nil {
		return dict.Table{}, &dict.At{Op: "table", Table: name, Err: err}
	}
	schema := t.schema // t itself is what later calls go by
	schema.Fields = slices.Clone(schema.Fields)
	for i := range schema.Fields {
		schema.Fields[i].Aliases = slices.Clone(schema.Fields[i].Aliases)
	}
	return schema, nil
}

// Stats implements dict.Store.
func (s *Store) Stats(name string) (dict.Stats, error) {
	t, err := s.ask(name)
	if err != nil {
		return dict.Stats{}, &dict.At{Op: "stats", Table: name, Err: err}
	}
	return t.stats, nil
}

// Changes implements dict.Changer. The error wraps dict.ErrNotSupported where the module
// is too old to tell.
func (s *Store) Changes(name string) (uint64, error) {
	var id, changes uint32
	told := false
	b := newBuilder()
	b.text(attrTable, dict.Name(name))
	err := s.pool.use(func(c *conn) error {
		return c.do(cmdTableGet, b.buf, func(b []byte) error {
			return each(b, func(a attr) (err error) {
				switch a.typ {
				case attrTableID:
					id, err = a.uint32()
				case attrChanges:
					changes, err = a.uint32()
					told = true
				}
				return err
			})
		})
	})
	if err == nil && !told {
		err = errOlder("tell whether rows have changed", "1.2")
	}
	if err != nil {
		return 0, &dict.At{Op: "changes", Table: name, Err: err}
	}
	return uint64(id)<<32 | uint64(changes), nil // no two tables have one id
}

// listAttempts is how often a listing of tables is asked for that comes out
// interrupted.
const listAttempts = 10

// list asks for all tables.
func (s *Store) list() (found []*table, err error) {
	err = s.pool.use(func(c *conn) error {
		for range listAttempts {
			found = nil
			interrupted, err := c.dump(cmdTableGet, nil, func(b []byte) error {
				found, err = parseTable(b, found)
				return err
			})
			if err != nil || !interrupted {
				return err
			}
		}
		return fmt.Errorf("%w: tables come and go faster than they can be listed", dict.ErrBusy)
	})
	for _, t := range found {
		if err == nil {
			err = t.finish()
		}
	}
	return found, err
}

// ask asks for one table, which is known from then on.
func (s *Store) ask(name string) (*table, error) {
	name = dict.Name(name)
	if _, err := dict.CheckName(name); err != nil {
		return nil, dict.ErrNotExist // no table can have it
	}
	var found []*table
	b := newBuilder()
	b.text(attrTable, name)
	err := s.pool.use(func(c *conn) error {
		return c.do(cmdTableGet, b.buf, func(b []byte) (err error) {
			found, err = parseTable(b, found)
			return err
		})
	})
	if err == nil && len(found) != 1 {
		err = errAnswer(fmt.Sprintf("%d tables of one name", len(found)))
	}
	if err == nil {
		err = found[0].finish()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.tables, name)
		return nil, err
	}
	s.tables[name] = found[0]
	return found[0], nil
}

// parseTable adds what one message tells to the tables found so far.
func parseTable(b []byte, found []*table) ([]*table, error) {
	t := &table{}
	// Where it goes on with the table of the message before.
	err := each(b, func(a attr) error {
		if a.typ != attrTableID {
			return nil
		}
		id, err := a.uint32()
		if n := len(found); n > 0 && found[n-1].id == id {
			t = found[n-1]
		}
		return err
	})
	if err != nil {
		return found, err
	}
	if err := each(b, t.parse); err != nil {
		return found, err
	}
	if n := len(found); n == 0 || found[n-1] != t {
		found = append(found, t)
	}
	return found, nil
}

// known returns a table as it was last told, or asks for it. fresh says that
// it asked.
func (s *Store) known(name string) (t *table, fresh bool, err error) {
	s.mu.Lock()
	t = s.tables[dict.Name(name)]
	s.mu.Unlock()
	if t != nil {
		return t, false, nil
	}
	t, err = s.ask(name)
	return t, true, err
}

// with calls f with a table as it is known here. Should f refuse what it was
// asked, or the module say that the table is another one by now, it is called
// once more with the table as it is.
func (s *Store) with(op, name string, f func(*table) error) error {
	t, fresh, err := s.known(name)
	if err != nil {
		return &dict.At{Op: op, Table: name, Err: err}
	}
	if err = f(t); err == nil || fresh || !outdated(err) {
		return err
	}
	if t, err = s.ask(name); err != nil {
		return &dict.At{Op: op, Table: name, Err: err}
	}
	return f(t)
}

// outdated reports whether an error may come from a table that has changed
// meanwhile: it is ours, or the module says that the table is another one.
func outdated(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	return !ok || r.errno == unix.ESTALE
}
