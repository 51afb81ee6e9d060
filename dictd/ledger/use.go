// SPDX-License-Identifier: MIT

package ledger

import (
	"net/netip"

	"nftdict/dictd/conntrack"
)

// Key says whose traffic of what a cell has. Address is invalid for traffic of
// nobody inside, and all of it is zero for what found no place.
type Key struct {
	Address     netip.Addr
	MAC         [6]byte // zero if not known
	User        string
	Application string // "" while that is not known
}

// Use is what passed for somebody inside.
type Use struct {
	In, Out     conntrack.Counter // to him, and from him
	Connections uint64            // that began
}

func (u *Use) add(o Use) {
	u.In, u.Out = u.In.Add(o.In), u.Out.Add(o.Out)
	u.Connections += o.Connections
}

// cell is a Use that is written to the disk from time to time.
type cell struct {
	key   Key
	use   Use
	dirty bool // is in Ledger.dirtyCells

	moved  bool // is in recent.moved
	before Use  // what use was when it came there
}

// cells are the uses of one period.
type cells map[Key]*cell

// maxCells bounds them.
const maxCells = 65536

// get returns the cell of a key. In a full period it is that of the address
// alone, or the one of all that found no place.
func (c cells) get(k Key) *cell {
	if one := c[k]; one != nil {
		return one
	}
	if len(c) >= maxCells {
		k.Application = ""
		if one := c[k]; one != nil {
			return one
		}
		k = Key{}
		if one := c[k]; one != nil {
			return one
		}
	}
	one := &cell{key: k}
	c[k] = one
	return one
}

// merge adds the uses of o.
func (c cells) merge(o cells) {
	for k, one := range o {
		c.get(k).use.add(one.use)
	}
}
