// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// tellers is how many Followers are waited for at a time.
const tellers = 8

// told is what a Follower is to be told: that a session has started, that it has
// ended, or else what it has moved.
type told struct {
	started bool
	cause   Cause
	session Session
}

// teller tells Followers. Of each session one thing after another; what was moved is
// told once, as it is then.
type teller struct {
	k *Keeper

	mu      sync.Mutex
	waiting map[string][]told // by session
	ready   []string          // those of whom nothing is being told
	more    chan struct{}
}

func newTeller(k *Keeper) *teller {
	return &teller{k: k, waiting: make(map[string][]told), more: make(chan struct{}, tellers)}
}

// add has something told, if anybody follows. Of a session three things wait at most.
func (t *teller) add(s *session, what told) {
	if _, follows := t.k.ways[s.Way].(Follower); !follows {
		return
	}
	t.k.mu.RLock()
	what.session = s.Session
	t.k.mu.RUnlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	line, busy := t.waiting[s.ID]
	if n := len(line); n > 0 && !line[n-1].started && line[n-1].cause == "" {
		line = line[:n-1] // what was moved by then
	}
	t.waiting[s.ID] = append(line, what)
	if !busy {
		t.ready = append(t.ready, s.ID)
		t.rouse()
	}
}

func (t *teller) rouse() {
	select {
	case t.more <- struct{}{}:
	default: // all are awake
	}
}

// run tells until ctx ends. Ends that were not told by then are told by the next run.
func (t *teller) run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	for range tellers {
		tasks.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-t.more:
				}
				for ctx.Err() == nil && t.next(ctx) {
				}
			}
		})
	}
	t.rouse()
	return tasks.Wait()
}

// next tells of the next session all that waits, and reports whether there was one.
func (t *teller) next(ctx context.Context) bool {
	t.mu.Lock()
	if len(t.ready) == 0 {
		t.mu.Unlock()
		return false
	}
	id := t.ready[0]
	t.ready = t.ready[1:]
	if len(t.ready) > 0 {
		t.rouse()
	}
	for {
		line := t.waiting[id]
		if len(line) == 0 || ctx.Err() != nil {
			delete(t.waiting, id)
			t.mu.Unlock()
			return true
		}
		what := line[0]
		t.waiting[id] = line[1:]
		t.mu.Unlock()
		t.tell(ctx, what)
		t.mu.Lock()
	}
}

func (t *teller) tell(ctx context.Context, what told) {
	f := t.k.ways[what.session.Way].(Follower)
	switch {
	case what.started:
		f.Started(ctx, what.session)
	case what.cause == "":
		f.Moved(ctx, what.session)
	default:
		f.Stopped(ctx, what.session, what.cause)
		if ctx.Err() != nil {
			return
		}
		if err := t.k.store.forget(what.session.ID); err != nil {
			t.k.cfg.Log.Error("the end of a session is told again after a restart", "session", what.session.ID, "err", err)
		}
	}
}
