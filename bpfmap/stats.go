// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"

	"nftdict/dict"
)

// Stats implements dict.Store.
func (s *Store) Stats(table string) (dict.Stats, error) {
	t, err := s.table("stats", table)
	if err != nil {
		return dict.Stats{}, err
	}
	st := dict.Stats{Limit: t.schema.Limit}
	v, err := t.aside()
	if err == nil {
		defer v.close()
		st.Refused = v.refused
		now := tick()
		err = eachRow(v.maps.rows, func(_, value []byte) error {
			if isAlive(binary.NativeEndian.Uint64(value), now) {
				st.Rows++
			}
			return nil
		})
	}
	if err != nil {
		return dict.Stats{}, &dict.At{Op: "stats", Table: t.schema.Name, Err: err}
	}
	return st, nil
}
