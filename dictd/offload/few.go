// SPDX-License-Identifier: MIT

package offload

import (
	"errors"

	"nftdict/dictd/conntrack"
)

// Entries tell which connection has a conntrack id, false if none is known, or several.
type Entries interface {
	Entry(id uint32) (conntrack.Tuple, uint16, bool)
}

// Lookuper finds conntrack's entries.
type Lookuper interface {
	Lookup(t conntrack.Tuple, zone uint16) (conntrack.Flow, error)
}

// maxFew is how many connections are asked for one by one: a look at all that are in
// flowtables takes longer, where these are many.
const maxFew = 32

// Few returns those of some connections that are in flowtables without a look at all; false
// if they are many, or one of them is not known.
func Few(kern Lookuper, known Entries, ids []uint32) (flows []conntrack.Flow, ok bool) {
	if len(ids) > maxFew {
		return nil, false
	}
	for _, id := range ids {
		t, zone, ok := known.Entry(id)
		if !ok {
			return nil, false
		}
		switch f, err := kern.Lookup(t, zone); {
		case errors.Is(err, conntrack.ErrNotFound): // it has ended
		case err != nil:
			return nil, false
		case f.ID == id && f.Offloaded() && !f.Dying():
			flows = append(flows, f)
		}
	}
	return flows, true
}
