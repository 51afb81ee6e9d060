// SPDX-License-Identifier: MIT

package genl

import (
	"unsafe"

	"nftdict/dict"
)

// places remembers at which places of a table fields are, by where their names lie in
// memory: who writes rows mostly names them by the same constants.
type places struct {
	table *table
	known [64]placed
}

type placed struct {
	name  string
	index int
}

// of returns the index of a field of t, false if it has none of that name.
func (p *places) of(t *table, field string) (int, bool) {
	if p.table != t {
		*p = places{table: t}
	}
	data := unsafe.StringData(field)
	at := &p.known[(uintptr(unsafe.Pointer(data))>>3^uintptr(len(field)))%uintptr(len(p.known))]
	if unsafe.StringData(at.name) == data && len(at.name) == len(field) && field != "" {
		return at.index, true
	}
	index, ok := t.fields[dict.Name(field)]
	if ok {
		*at = placed{field, index}
	}
	return index, ok
}
