// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// tableSchema is a table as the schema map holds it.
type tableSchema struct {
	id     uint32
	count  int // records that follow the table's own
	table  dict.Table
	hidden map[string]bool // fields that only rules know, see hidden.go
}

// readSchema returns all tables and the epoch they are of. The caller holds
// the lock, shared at least.
func (n *namespace) readSchema() ([]tableSchema, uint64, error) {
	epoch := n.state.epoch.Load()
	records := map[recordKey]record{}
	err := n.eachRecord(func(k recordKey, value []byte) error {
		r, err := unmarshalRecord(value)
		records[k] = r
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read schema: %w", err)
	}
	var out []tableSchema
	for key, head := range records {
		if key.Number != 0 {
			continue
		}
		rest := make([]record, head.count)
		for i := range rest {
			rest[i] = records[recordKey{key.Table, uint32(i + 1)}]
		}
		t, err := schemaOf(head, rest)
		if err != nil {
			return nil, 0, fmt.Errorf("read schema: %w", err)
		}
		f := tableSchema{id: key.Table, count: len(rest), table: t, hidden: map[string]bool{}}
		for _, r := range rest {
			if r.hidden {
				f.hidden[r.name] = true
			}
		}
		out = append(out, f)
	}
	return out, epoch, nil
}

// publish makes a table be what records say: its own, and those behind the
// first known ones, which are there. Everybody is told before, and waits for
// the lock: whoever dies in between leaves nobody with what was. The caller
// holds the lock.
func (n *namespace) publish(id uint32, known int, table record, rest []record) error {
	if err := n.writeRecords(id, known+1, rest); err != nil {
		return err
	}
	n.state.epoch.Add(1)
	return n.writeRecords(id, 0, []record{table})
}

// unpublish takes a table's own record away, which makes it be gone. The
// caller holds the lock.
func (n *namespace) unpublish(id uint32) error {
	n.state.epoch.Add(1)
	return explain("schema", n.schema.Delete(recordKey{id, 0}))
}

// writeRecords writes records first, first+1, ... of a table.
func (n *namespace) writeRecords(id uint32, first int, records []record) error {
	for i, r := range records {
		err := n.schema.Put(recordKey{id, uint32(first + i)}, r.marshal())
		if errors.Is(err, unix.E2BIG) {
			return fmt.Errorf("schema: %w: %d tables, fields and aliases", dict.ErrFull, maxRecords)
		}
		if err != nil {
			return explain("write schema", err)
		}
	}
	return nil
}

// eachRecord calls f for every record there is.
func (n *namespace) eachRecord(f func(recordKey, []byte) error) error {
	for b := newBatch(n.schema, 256); ; {
		got, err := b.next()
		if err != nil || got == 0 {
			return err
		}
		for i := range got {
			k := b.key(i)
			key := recordKey{binary.NativeEndian.Uint32(k), binary.NativeEndian.Uint32(k[4:])}
			if err := f(key, b.value(i)); err != nil {
				return err
			}
		}
	}
}
