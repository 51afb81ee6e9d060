// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"time"

	"nftdict/dict"
	"nftdict/dictd/offload"
)

// rewritten are the connections whose rows were written here. Rules may have sent them
// to a flowtable for what the rows said before.
type rewritten []dict.Key

// maxRewritten is of how many the daemon is told. Rows that change it finds by itself,
// but where there are many it takes a while.
const maxRewritten = 16

// add notes a row of a table.
func (r *rewritten) add(table string, k dict.Key) {
	if table == dict.Sessions && len(*r) <= maxRewritten {
		*r = append(*r, k)
	}
}

// recallPatience bounds how long a command that has done its work waits for the daemon.
const recallPatience = 2 * time.Second

// recall has the daemon, if one is there and lets itself be told, take connections back
// to the rules. What it does not do now it does when it finds that the rows have changed.
func (c *ctl) recall(ctx context.Context, r rewritten) {
	if len(r) > maxRewritten {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, recallPatience)
	defer cancel()
	for _, k := range r {
		if _, err := c.daemon().Recall(ctx, offload.Ct(k.Uint32())); err != nil {
			return
		}
	}
}
