// SPDX-License-Identifier: MIT

package oidc

import (
	"net/netip"
	"sync"
	"time"

	"nftdict/dictd/portal"
)

// journey is what is remembered of somebody on his way to the provider.
type journey struct {
	who             device
	nonce, verifier string
	began           time.Time
}

// device is who has to come back.
type device struct {
	mac  [6]byte
	addr netip.Addr // where no device is known
}

func deviceOf(a portal.Attempt) device {
	if a.MAC != ([6]byte{}) {
		return device{mac: a.MAC}
	}
	return device{addr: a.Addr}
}

// Bounds of journeys.
const (
	journeyLife = 10 * time.Minute
	maxJourneys = 4096
	maxOfDevice = 8
)

// journeys are those under way.
type journeys struct {
	mu    sync.Mutex
	all   map[string]journey // by state
	count map[device]int
}

func newJourneys() *journeys {
	return &journeys{all: make(map[string]journey), count: make(map[device]int)}
}

// put remembers one, in the place of those that took too long; false if there is no
// room. Of a device's the oldest goes.
func (j *journeys) put(state string, one journey) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count[one.who] >= maxOfDevice {
		oldest := ""
		for s, other := range j.all {
			if other.who == one.who && (oldest == "" || other.began.Before(j.all[oldest].began)) {
				oldest = s
			}
		}
		j.remove(oldest)
	}
	if len(j.all) >= maxJourneys {
		for s, other := range j.all {
			if one.began.Sub(other.began) >= journeyLife {
				j.remove(s)
			}
		}
		if len(j.all) >= maxJourneys {
			return false
		}
	}
	j.all[state] = one
	j.count[one.who]++
	return true
}

// take returns a device's own journey and forgets it. One of another device stays.
func (j *journeys) take(state string, who device, now time.Time) (journey, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	one, ok := j.all[state]
	if !ok || one.who != who {
		return journey{}, false
	}
	j.remove(state)
	return one, now.Sub(one.began) < journeyLife
}

// remove forgets one. j.mu is held.
func (j *journeys) remove(state string) {
	who := j.all[state].who
	delete(j.all, state)
	if j.count[who]--; j.count[who] <= 0 {
		delete(j.count, who)
	}
}
