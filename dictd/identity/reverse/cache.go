// SPDX-License-Identifier: MIT

package reverse

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of what is remembered.
const (
	maxNames = 32768
	leastTTL = time.Minute
	mostTTL  = time.Hour
	// noneTTL is for addresses that have no name, failedTTL where nobody answered.
	noneTTL   = 10 * time.Minute
	failedTTL = time.Minute
)

// cache remembers names.
type cache struct {
	mu    sync.RWMutex
	names map[netip.Addr]remembered
}

// remembered is a name, "" for none, and how long that holds.
type remembered struct {
	name  string
	until time.Time
}

// get returns what is remembered of an address, false if that is nothing any more.
func (c *cache) get(a netip.Addr, now time.Time) (string, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	r, ok := c.names[a]
	return r.name, ok && now.Before(r.until)
}

// put remembers a name. What is old makes room, else anything.
func (c *cache) put(a netip.Addr, name string, ttl time.Duration, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.names[a]; !there && len(c.names) >= maxNames {
		seen := 0
		for old, r := range c.names { // in no order
			if seen++; !now.Before(r.until) || seen == 1 {
				delete(c.names, old)
			}
			if seen >= 64 {
				break
			}
		}
	}
	c.names[a] = remembered{name, now.Add(ttl)}
}

func (c *cache) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.names)
}
