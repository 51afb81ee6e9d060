// SPDX-License-Identifier: MIT

package offload

import (
	"sync"
	"time"

	"nftdict/dictd/rules"
)

// ofRoutes is the reason to ask about connections that routes have changed, ofBridges that
// devices are behind other ports; the others are those of rules.WatchOthers.
const (
	ofRoutes  = "routes"
	ofBridges = "bridges"
)

// reasons are why connections are to be asked about, as they are found.
type reasons struct {
	mu   sync.Mutex
	what map[string]struct{}
	wake chan struct{}
}

func newReasons() *reasons {
	return &reasons{what: make(map[string]struct{}), wake: make(chan struct{}, 1)}
}

func (r *reasons) tell(what []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range what {
		r.what[w] = struct{}{}
	}
	select {
	case r.wake <- struct{}{}:
	default: // it was told already
	}
}

// take returns what was told, and forgets it.
func (r *reasons) take() map[string]struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	what := r.what
	r.what = make(map[string]struct{})
	return what
}

// behind is how long after rules' answers have changed by themselves connections are
// asked about: packets that had the old ones are past the rules then.
const behind = 20 * time.Millisecond

// stepped is by how much the clock has to be set for all to be asked about.
const stepped = time.Second

// follower decides when all connections are asked about: when something has changed, or
// rules say something else by themselves.
type follower struct {
	k       *Keeper
	paces   paces
	follows bool           // connections are to be asked about
	moments *rules.Moments // nil if they are to be read
	until   time.Time      // to which they are followed
	told    string         // the last error
}

func newFollower(k *Keeper) *follower { return &follower{k: k, paces: make(paces)} }

// changed notes what has changed.
func (f *follower) changed(what map[string]struct{}, now time.Time) {
	for w := range what {
		f.paces.changed(w, now)
	}
}

// pause returns how long there is nothing to do.
func (f *follower) pause(now time.Time) time.Duration {
	d := retry
	sooner := func(at time.Time) {
		if !at.IsZero() {
			d = min(d, at.Sub(now))
		}
	}
	sooner(f.paces.due())
	if f.moments != nil {
		if next := f.moments.Next(f.until.Round(0), rules.KernelZone()); !next.IsZero() {
			// That is the clock's, which may be set.
			d = min(d, next.Add(behind).Sub(now.Round(0)))
		}
		for _, at := range f.moments.Ends {
			sooner(at.Add(behind))
		}
	}
	return max(d, 0)
}

// due reports whether all connections are to be asked about now, which must follow.
func (f *follower) due(now time.Time) bool {
	if !f.follows {
		clear(f.paces)
		return false
	}
	due := f.clock(now)
	if f.moments != nil {
		for set, at := range f.moments.Ends {
			if !at.Add(behind).After(now) {
				f.paces.changed(set, now)
				delete(f.moments.Ends, set)
			}
		}
	}
	if next := f.paces.due(); !next.IsZero() && !next.After(now) {
		due = true
	}
	if due {
		f.paces.asked(now)
		f.moments = nil
	}
	return due
}

// clock reports whether rules that ask it say something else now.
func (f *follower) clock(now time.Time) bool {
	if f.moments == nil || !f.moments.Clock() {
		return false
	}
	was, is := f.until, now.Add(-behind)
	f.until = is
	return turned(f.moments, was.Round(0), is.Round(0), is.Sub(was))
}

// turned reports whether rules say something else at a time by the clock than at another,
// or may do so, since the clock has been set in the time that has passed between the two.
func turned(m *rules.Moments, was, is time.Time, passed time.Duration) bool {
	if by := is.Sub(was) - passed; by > stepped || by < -stepped {
		return true
	}
	next := m.Next(was, rules.KernelZone())
	return !next.IsZero() && !next.After(is)
}

// read reads, where they are not known, when rules say something else by themselves.
func (f *follower) read() {
	if !f.follows || f.moments != nil {
		return
	}
	text, at := "", time.Now()
	m, err := rules.ReadMoments(f.k.o.NetNS, append([]string{TableName(f.k.o.Table)}, f.k.o.Others...))
	if err != nil {
		text = err.Error()
	} else {
		f.moments, f.until = m, at.Add(-behind)
	}
	if text != f.told && text != "" {
		f.k.o.Log.Warn("when rules say something else by themselves is not known, it is tried again", "err", err)
	}
	f.told = text
}
