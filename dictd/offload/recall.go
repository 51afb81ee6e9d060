// SPDX-License-Identifier: MIT

package offload

import (
	"errors"

	"nftdict/dict"
)

// Recaller takes connections out of flowtables: their next packets pass by the rules.
type Recaller interface {
	// Recall takes the connections out that have these conntrack ids; there may be
	// ids of others, and of connections in no flowtable. missing are those that may
	// still be in one. What rules are to see of them is written before.
	Recall(ids []uint32) (missing []uint32, err error)
}

// Recallers are several ways, the best first: each is asked for what those before it
// leave.
type Recallers []Recaller

var _ Recaller = Recallers(nil)

// Recall implements Recaller. A way that does not work here is left out; one that fails
// leaves what it was asked for to the next.
func (rs Recallers) Recall(ids []uint32) (missing []uint32, err error) {
	missing = ids
	for _, r := range rs {
		if len(missing) == 0 {
			break
		}
		left, failed := r.Recall(missing)
		if errors.Is(failed, dict.ErrNotSupported) {
			continue
		}
		missing, err = left, errors.Join(err, failed)
	}
	return missing, err
}
