// SPDX-License-Identifier: MIT

package offload

import (
	"context"
	"maps"
	"net"
	"sync"
	"time"
)

// Stations has connections asked about again whose ends have come to another port of a
// bridge: a flowtable goes on sending by the port of before.
type Stations struct {
	cfg  StationsConfig
	mu   sync.Mutex
	news map[[6]byte]struct{}
	all  bool
	wake chan struct{}
}

// StationsConfig says what is done.
type StationsConfig struct {
	// Known reports whether it is known which connections are a device's. Behind others
	// there may be whole networks.
	Known  func(mac [6]byte) bool
	Recall func(...Whom) // takes connections back soon
	Renew  func()        // has all asked about again soon
}

// NewStations returns Stations, whose Run must follow.
func NewStations(cfg StationsConfig) *Stations {
	return &Stations{cfg: cfg, news: make(map[[6]byte]struct{}), wake: make(chan struct{}, 1)}
}

// Moved tells of devices behind other ports; all says that any others may be.
func (s *Stations) Moved(macs [][6]byte, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, mac := range macs {
		s.news[mac] = struct{}{}
	}
	s.all = s.all || all
	select {
	case s.wake <- struct{}{}:
	default: // it was told already
	}
}

// take returns what was told, and forgets it.
func (s *Stations) take() (news map[[6]byte]struct{}, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news, all = s.news, s.all
	s.news, s.all = make(map[[6]byte]struct{}), false
	return news, all
}

// fewStations is how many may move within 2*most for each to have its own connections
// taken back; where there are more, as where a loop is, all are asked about at a pace.
const fewStations = 256

// atOnce is how long devices are waited for that move together.
const atOnce = 10 * time.Millisecond

// Run takes back what belongs to devices that have moved until ctx ends: at once, and
// less and less often where one does not cease to.
func (s *Stations) Run(ctx context.Context) error {
	p := make(paces)
	for {
		var due <-chan time.Time
		if next := p.due(); !next.IsZero() {
			due = time.After(max(time.Until(next), atOnce))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-due:
		case <-s.wake:
			news, all := s.take()
			if s.note(p, news, time.Now()) || all {
				s.cfg.Renew()
			}
			continue
		}
		var whom []Whom
		for _, name := range p.ripe(time.Now()) {
			whom = append(whom, Whom{OfDevice, name})
		}
		s.cfg.Recall(whom...)
	}
}

// note has devices taken back at their pace, and reports whether others are concerned.
func (s *Stations) note(p paces, news map[[6]byte]struct{}, now time.Time) (all bool) {
	if len(p) >= fewStations {
		maps.DeleteFunc(p, func(_ string, c *pace) bool { return c.idle(now) })
	}
	for mac := range news {
		name := net.HardwareAddr(mac[:]).String()
		_, again := p[name]
		if !again && len(p) >= fewStations || !s.cfg.Known(mac) {
			all = true
			continue
		}
		p.changed(name, now)
	}
	return all
}
