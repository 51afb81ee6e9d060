// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"sync"
	"time"

	"nftdict/dict"
	"nftdict/dictd/identity"
	"nftdict/dictd/quota"
)

// Bounds of the time between two rounds of the ledger while budgets come to their
// ends beside the rules.
const (
	leastRound = 250 * time.Millisecond
	// nearness is the part of what is left of a budget that may move until the next
	// round, at the pace of the last.
	nearness = 4
	// line is what a subject may move in a second, in bytes, from one round to the
	// next: a gigabit of the line. Of his budget that much must be left above its end
	// for each second until the next round.
	line = 125_000_000
)

// rush is what moved beside the rules since the last round, by address.
type rush struct {
	mu    sync.Mutex
	since time.Time
	moved map[netip.Addr]uint64
}

// note adds what moved to and from an address.
func (r *rush) note(addr netip.Addr, bytes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.moved == nil {
		r.moved = make(map[netip.Addr]uint64)
	}
	if len(r.moved) < maxRush {
		r.moved[addr] += bytes
	}
}

// maxRush bounds the addresses that are looked after.
const maxRush = 65536

// hurry returns how soon the next round should be, 0 if it does not matter: sooner
// where a budget, at the pace at which traffic moved beside the rules, comes to its
// end. It is called by the ledger's rounds alone.
func (d *Daemon) hurry(now time.Time) time.Duration {
	r := &d.account.rush
	r.mu.Lock()
	moved, elapsed := r.moved, now.Sub(r.since)
	r.moved, r.since = nil, now
	r.mu.Unlock()
	if d.quota.Manager == nil || elapsed <= 0 || !d.account.Besides() {
		return 0
	}
	budgets := d.quota.Known()                   // a look at all of them costs more than a round
	near, _ := d.config.Load().Quota.NearBytes() // it was checked
	soonest := burst(budgets, near)
	if len(moved) > 0 {
		if n := nearest(budgets, paces(moved, d.who.Directory), elapsed); n > 0 && (soonest == 0 || n < soonest) {
			soonest = n
		}
	}
	return soonest
}

// burst returns how soon some budget may come within near bytes of its end if it is
// used up as fast as the line allows from now on; 0 if none is left that is not there.
func burst(budgets []quota.Budget, near int64) time.Duration {
	var soonest time.Duration
	for i := range budgets {
		b := &budgets[i]
		if b.Unit != "bytes" || b.Remaining <= near {
			continue
		}
		wait := max(leastRound, time.Duration(min(float64(b.Remaining-near)/line*float64(time.Second), float64(time.Hour))))
		if soonest == 0 || wait < soonest {
			soonest = wait
		}
	}
	return soonest
}

// paces returns what moved by subject; all of it by "group".
func paces(moved map[netip.Addr]uint64, who *identity.Directory) map[string]uint64 {
	by := make(map[string]uint64)
	for addr, n := range moved {
		by["group"] += n
		by["host "+addr.String()] += n
		if mac, user, known := who.Party(addr); known {
			by["device "+dict.EtherValue(mac).String()] += n
			if user != "" {
				by["user "+user] += n
			}
		}
	}
	return by
}

// nearest returns when the first of some budgets should be looked at again, if so
// much moved in a time; 0 if none has moved.
func nearest(budgets []quota.Budget, moved map[string]uint64, elapsed time.Duration) time.Duration {
	var soonest time.Duration
	for i := range budgets {
		b := &budgets[i]
		n := moved[b.Kind+" "+b.Name]
		if b.Kind == "group" { // whose members are not asked for: as if all were his
			n = moved["group"]
		}
		if n == 0 || b.Unit != "bytes" || b.Remaining <= 0 {
			continue
		}
		left := float64(b.Remaining) / float64(n) * float64(elapsed)
		wait := max(leastRound, time.Duration(min(left/nearness, float64(time.Hour))))
		if soonest == 0 || wait < soonest {
			soonest = wait
		}
	}
	return soonest
}
