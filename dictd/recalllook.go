// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"slices"
	"time"

	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
)

// look is a look for connections in flowtables: for whose, and what it has taken back.
type look struct {
	affected *offload.Affected
	seen     map[recallKey]struct{}
	ids      map[uint32]struct{} // those of seen
}

func newLook(a *offload.Affected) *look {
	return &look{a, make(map[recallKey]struct{}), make(map[uint32]struct{})}
}

// recallKey names a connection, whatever entry it has.
type recallKey struct {
	zone uint16
	orig conntrack.Tuple
}

// found is a connection in a flowtable.
type found struct {
	key   recallKey
	about offload.Connection
	by    *look
}

// wants reports whether a connection is to be taken back.
func (l *look) wants(f *found) bool {
	_, ok := l.seen[f.key]
	return !ok && l.affected.Has(&f.about)
}

// has notes that one was taken back.
func (l *look) has(f *found) {
	l.seen[f.key] = struct{}{}
	l.ids[f.about.ID] = struct{}{}
}

// crowd is how many were in flowtables when all were looked at.
type crowd struct {
	n  int
	at time.Time
}

// Connections are asked for by address where maxAddresses or fewer are meant, and that takes
// the kernel less time than to show all: it goes through its table twice for each of IPv4,
// which takes as long as walkWorth connections in flowtables do, where the table has 262,144
// places, each with a lock. crowdLasts is for how long it is believed how many there are.
const (
	walkWorth    = 1000
	maxAddresses = 5
	crowdLasts   = time.Minute
)

// worth returns for how many addresses at most connections are asked for by these.
func (c crowd) worth(now time.Time) int {
	if now.Sub(c.at) > crowdLasts {
		return 0
	}
	return min(c.n/walkWorth, maxAddresses)
}

// offloaded calls f for connections in flowtables, those that looks are for among them, and
// for some twice.
func (d *Daemon) offloaded(looks []*look, f func(*conntrack.Flow)) error {
	r := &d.recall
	var ids []uint32
	var addrs []netip.Addr
	for _, l := range looks {
		some, at, ok := l.affected.Narrow(d.who.Addresses)
		if !ok {
			return d.allOffloaded(f)
		}
		addrs = append(addrs, at...)
		ids = append(ids, slices.DeleteFunc(some, func(id uint32) bool { _, ok := l.ids[id]; return ok })...)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)
	if len(addrs) > r.crowd.worth(time.Now()) {
		return d.allOffloaded(f)
	}
	slices.Sort(ids)
	flows, ok := offload.Few(r.kernel, d.table, slices.Compact(ids))
	if !ok {
		return d.allOffloaded(f)
	}
	for i := range flows {
		f(&flows[i])
	}
	return r.kernel.OffloadedAt(addrs, f)
}

// allOffloaded calls f for all connections in flowtables.
func (d *Daemon) allOffloaded(f func(*conntrack.Flow)) error {
	n := 0
	err := d.recall.kernel.Offloaded(func(flow *conntrack.Flow) {
		n++
		f(flow)
	})
	d.recall.crowd = crowd{n, time.Now()}
	return err
}
