// SPDX-License-Identifier: MIT

package genl

import (
	"context"
	"errors"

	"nftdict/dict"
)

// listener is a Listen under way.
type listener struct {
	store *Store
	tell  func(dict.Change) error
	named map[string]struct{} // empty for all
	known map[uint32]*table   // of these, by id
}

// Listen implements dict.Listener. The error wraps dict.ErrNotSupported where the module
// is too old to tell.
func (s *Store) Listen(ctx context.Context, f func(dict.Change) error, tables ...string) error {
	l := &listener{store: s, tell: f, named: make(map[string]struct{})}
	for _, name := range tables {
		l.named[dict.Name(name)] = struct{}{}
	}
	err := s.pool.use(func(c *conn) error {
		defer func() { c.broken = true }() // what it is told would answer the next request
		if err := c.join(groupWrites); err != nil {
			return err
		}
		if err := l.lost(); err != nil {
			return err
		}
		return c.events(ctx, l.lost, l.message)
	})
	if err != nil && ctx.Err() == nil {
		return &dict.At{Op: "listen", Err: err}
	}
	return err
}

// lost tells that there is something to look for in every table.
func (l *listener) lost() error {
	if err := l.look(); err != nil {
		return err
	}
	return l.tell(dict.Change{})
}

// look finds out which tables bear the names.
func (l *listener) look() error {
	l.known = make(map[uint32]*table)
	if len(l.named) == 0 {
		all, err := l.store.list()
		for _, t := range all {
			l.known[t.id] = t
		}
		return err
	}
	for name := range l.named {
		switch t, err := l.store.ask(name); {
		case err == nil:
			l.known[t.id] = t
		case !errors.Is(err, dict.ErrNotExist):
			return err
		}
	}
	return nil
}

// message tells what the attributes of a notification say.
func (l *listener) message(command uint8, attrs []byte) error {
	id, err := tableID(attrs)
	if err != nil {
		return err
	}
	t := l.known[id]
	switch command {
	case cmdTableNtf:
		found, err := parseTable(attrs, nil)
		if err != nil {
			return err
		}
		name := found[0].schema.Name
		if _, named := l.named[name]; !named && len(l.named) > 0 {
			return nil
		}
		if err := found[0].finish(); err != nil {
			return err
		}
		if l.known[id] = found[0]; t == nil { // else it has got fields
			return l.tell(dict.Change{Table: name})
		}
	case cmdTableDelNtf:
		if delete(l.known, id); t != nil {
			return l.tell(dict.Change{Table: t.schema.Name})
		}
	case cmdRowNtf, cmdRowDelNtf:
		if t == nil {
			return nil
		}
		kind, rows := dict.Set, 0
		if command == cmdRowDelNtf {
			kind = dict.Deleted
		}
		d := decoder{l.store, t}
		err := d.eachRow(attrs, func(r dict.Row) error {
			rows++
			return l.tell(dict.Change{Table: t.schema.Name, Kind: kind, Row: r})
		})
		if l.known[id] = d.table; errors.Is(err, dict.ErrNotExist) {
			return nil // the table has gone since; that will be told
		}
		if err == nil && rows == 0 {
			err = l.tell(dict.Change{Table: t.schema.Name})
		}
		return err
	}
	return nil
}
