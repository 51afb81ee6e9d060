// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"sync"
	"time"

	"nftdict/dictd/session"
)

// lateness is how long what no packet reveals may be missing in a row: addresses after
// translation, where the server is. Mostly a packet comes before that has to
// be written anyway, and a put is dear.
const lateness = 50 * time.Millisecond

// postponed is the sessions that have something to be written, which nothing waits for.
type postponed struct {
	some chan struct{} // there are some, where there were none

	mu       sync.Mutex // taken after a session's lock
	sessions []*session.Session
	running  bool
}

func newPostponed() *postponed { return &postponed{some: make(chan struct{}, 1)} }

// add takes a locked session, false if nobody would write it.
func (p *postponed) add(s *session.Session) bool {
	if p == nil {
		return false
	}
	if s.Postponed() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running {
		return false
	}
	s.Postpone()
	if p.sessions = append(p.sessions, s); len(p.sessions) == 1 {
		select {
		case p.some <- struct{}{}:
		default:
		}
	}
	return true
}

// take returns the sessions; running says that others may come.
func (p *postponed) take(running bool) []*session.Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.sessions
	p.sessions, p.running = nil, running
	return all
}

// Run writes what is postponed until ctx ends, and then all that is.
func (r *recorder) Run(ctx context.Context) error {
	r.writePostponed(true)
	defer r.writePostponed(false)
	soon := time.NewTimer(lateness)
	defer soon.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.postponed.some:
		}
		soon.Reset(lateness)
		select {
		case <-ctx.Done():
			return nil
		case <-soon.C:
			r.writePostponed(true)
		}
	}
}

// writePostponed writes the sessions that wait.
func (r *recorder) writePostponed(running bool) {
	for _, s := range r.postponed.take(running) {
		if !s.Lock() {
			continue
		}
		if s.Postponed() && s.Writable() {
			r.write(s, false)
		}
		s.Unlock()
	}
}
