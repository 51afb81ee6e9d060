// SPDX-License-Identifier: MIT

package operator

import (
	"net/netip"
	"sync"
	"time"
)

// How often passwords are tried: so many at once, and then one in so long. Of one
// address (of IPv6 its network of 64 bits), of one name, and of all together.
const (
	burstOfAddress, paceOfAddress = 8, 6 * time.Second
	burstOfName, paceOfName       = 16, 6 * time.Second
	burstOfAll, paceOfAll         = 60, time.Second

	maxBuckets = 4096
)

// limit holds who tries passwords back.
type limit struct {
	clock func() time.Time

	mu  sync.Mutex
	of  map[string]time.Time // by address or name: when all of its burst is there again
	all time.Time
}

// try reports whether one may be tried now, or after how long again.
func (l *limit) try(from netip.Addr, name string) (wait time.Duration, ok bool) {
	if from.Is6() && !from.Is4In6() {
		if p, err := from.Prefix(64); err == nil {
			from = p.Addr()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	keys := [2]string{"a" + from.Unmap().String(), "n" + name}
	full := [3]time.Time{l.of[keys[0]], l.of[keys[1]], l.all}
	bursts := [3]int{burstOfAddress, burstOfName, burstOfAll}
	paces := [3]time.Duration{paceOfAddress, paceOfName, paceOfAll}
	for i := range full {
		if full[i].Before(now) {
			full[i] = now
		}
		full[i] = full[i].Add(paces[i])
		wait = max(wait, full[i].Sub(now)-time.Duration(bursts[i])*paces[i])
	}
	if wait > 0 {
		return wait, false
	}
	if len(l.of) >= maxBuckets-2 {
		for key, at := range l.of {
			if !at.After(now) {
				delete(l.of, key)
			}
		}
		if len(l.of) >= maxBuckets-2 { // those of all hold them back
			clear(l.of)
		}
	}
	l.of[keys[0]], l.of[keys[1]], l.all = full[0], full[1], full[2]
	return 0, true
}
