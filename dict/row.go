// SPDX-License-Identifier: MIT

package dict

import "time"

// Row is a key and the cells written under it.
type Row struct {
	Key   Key
	Cells []Cell
	// TTL, in Put, is how long the row lives from now: 0 means the table's
	// Timeout (Lease in a Bound table without one). In what Get and Rows return
	// it is what is left, rounded up, 0 for a row without end. Whole seconds; a
	// row may live up to two seconds longer.
	TTL time.Duration
}

// Cell is one field's value in a row.
type Cell struct {
	Field string
	Value Value
}

// Get returns the value of a field by its canonical name in any spelling
// (aliases are the schema's), false if the row has none.
func (r *Row) Get(field string) (Value, bool) {
	field = Name(field)
	for _, c := range r.Cells {
		if c.Field == field {
			return c.Value, true
		}
	}
	return Value{}, false
}
