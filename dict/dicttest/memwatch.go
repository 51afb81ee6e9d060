// SPDX-License-Identifier: MIT

package dicttest

import (
	"context"
	"time"

	"nftdict/dict"
)

// memShot is the rows of a table at one moment.
type memShot struct {
	schema dict.Table
	rows   map[dict.Key]*memRow
}

// memPoll is how often Watch looks for rows that ended by their TTL, in real
// time.
const memPoll = 20 * time.Millisecond

// Watch implements dict.Watcher by comparing one moment with the next; what
// happens while f runs is merged. It ends with ErrNotExist when a table that was
// named is deleted.
func (m *Mem) Watch(ctx context.Context, f func(dict.Change) error, tables ...string) error {
	old, changed, err := m.snapshot(tables)
	if err != nil {
		return err
	}
	tick := time.NewTicker(memPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-tick.C:
		}
		var now map[string]memShot
		if now, changed, err = m.snapshot(tables); err != nil {
			return err
		}
		for name := range old {
			if err := diff(name, old[name], now[name], f); err != nil {
				return err
			}
		}
		for name := range now {
			if _, known := old[name]; !known {
				if err := diff(name, memShot{}, now[name], f); err != nil {
					return err
				}
			}
		}
		old = now
	}
}

// Changes implements dict.Changer.
func (m *Mem) Changes(table string) (uint64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if _, err := m.table("changes", table); err != nil {
		return 0, err
	}
	return m.changes, nil
}

// diff calls f for what makes b of a.
func diff(table string, a, b memShot, f func(dict.Change) error) error {
	for k := range a.rows {
		if b.rows[k] != nil {
			continue
		}
		if err := f(dict.Change{Table: table, Kind: dict.Deleted, Row: dict.Row{Key: k}}); err != nil {
			return err
		}
	}
	for k, r := range b.rows {
		was := a.rows[k]
		if r == was {
			continue
		}
		gone, set := dict.Row{Key: k}, dict.Row{Key: k}
		for _, field := range b.schema.Fields {
			v := r.cells[field.Name]
			var before dict.Value
			if was != nil {
				before = was.cells[field.Name]
			}
			switch {
			case v == before:
			case v.IsZero():
				gone.Cells = append(gone.Cells, dict.Cell{Field: field.Name})
			default:
				set.Cells = append(set.Cells, dict.Cell{Field: field.Name, Value: v})
			}
		}
		if len(gone.Cells) > 0 {
			if err := f(dict.Change{Table: table, Kind: dict.Deleted, Row: gone}); err != nil {
				return err
			}
		}
		if len(set.Cells) > 0 || was == nil {
			if err := f(dict.Change{Table: table, Kind: dict.Set, Row: set}); err != nil {
				return err
			}
		}
	}
	return nil
}
