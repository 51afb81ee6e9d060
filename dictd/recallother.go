// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"maps"
	"slices"
	"time"

	"nftdict/dict"
)

// otherTables are the tables that users have added: rules may read them, and which
// connections a row is about is known to these rules alone. When one is written, all
// connections are asked about again, at the pace of whatever else rules read.
type otherTables struct {
	store   dict.Store
	own     map[string]struct{} // tables that are none of them
	changes map[string]uint64   // numbers of dict.Changer, by table; nil before the first look
	listed  time.Time
}

func newOtherTables(store dict.Store) *otherTables {
	o := &otherTables{store: store, own: make(map[string]struct{})}
	for _, t := range dict.Standard(1) {
		o.own[t.Name] = struct{}{}
	}
	return o
}

// list notes which tables there are. One that has come since the first time is written.
func (o *otherTables) list() error {
	tables, err := o.store.Tables()
	if err != nil {
		return err
	}
	was := o.changes
	o.changes, o.listed = make(map[string]uint64), time.Now()
	for _, t := range tables {
		if _, ok := o.own[t.Name]; ok {
			continue
		}
		n := was[t.Name]
		if was == nil {
			if n, err = o.number(t.Name); err != nil {
				return err
			}
		}
		o.changes[t.Name] = n
	}
	return nil
}

// look returns which tables were written since the last time.
func (o *otherTables) look() ([]string, error) {
	if time.Since(o.listed) >= rowsEvery {
		if err := o.list(); err != nil {
			return nil, err
		}
	}
	return o.written(slices.Collect(maps.Keys(o.changes)))
}

// hear is look with a store that has told what was written.
func (o *otherTables) hear(heard map[string]map[dict.Key]struct{}) ([]string, error) {
	var names []string
	fresh := o.changes == nil
	for name := range heard {
		if _, ok := o.own[name]; ok {
			continue
		}
		_, known := o.changes[name]
		fresh = fresh || !known
		names = append(names, name)
	}
	if _, any := heard[""]; any || fresh {
		if err := o.list(); err != nil {
			return nil, err
		}
		if any {
			names = slices.Collect(maps.Keys(o.changes))
		}
	}
	return o.written(names)
}

// number returns a table's; that of one that is gone is 0.
func (o *otherTables) number(name string) (uint64, error) {
	c, ok := o.store.(dict.Changer)
	if !ok {
		return 0, nil
	}
	n, err := c.Changes(name)
	if errors.Is(err, dict.ErrNotSupported) || errors.Is(err, dict.ErrNotExist) {
		return 0, nil
	}
	return n, err
}

// written returns which of some tables were written since the last time.
func (o *otherTables) written(names []string) (those []string, err error) {
	for _, name := range names {
		was, known := o.changes[name]
		if !known {
			continue
		}
		n, err := o.number(name)
		if err != nil {
			return those, err
		}
		if n != was {
			o.changes[name] = n
			those = append(those, name)
		}
	}
	return those, nil
}
