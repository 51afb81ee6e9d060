// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"errors"
	"time"
)

// Times of a Keeper.
const (
	// lookEvery is how often it is looked who is idle, or has used up his volume.
	lookEvery = 2 * time.Second
	// saveEvery is how often figures go into the file: a daemon that is killed loses
	// what was moved since.
	saveEvery = time.Minute
	// shortly is the least time between two looks for sessions that are over.
	shortly = 10 * time.Millisecond
)

// tend ends sessions until ctx ends.
func (k *Keeper) tend(ctx context.Context) error {
	look, save := time.NewTicker(lookEvery), time.NewTicker(saveEvery)
	defer look.Stop()
	defer save.Stop()
	over := time.NewTimer(0)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.wake:
		case <-over.C:
		case <-look.C:
			k.look()
		case <-save.C:
			k.save()
		}
		wait := lookEvery
		if !k.endThat(func(s *session, now time.Time) Cause {
			if s.over(now) {
				return CauseTime
			}
			return ""
		}) {
			if next := k.nextEnd(); !next.IsZero() {
				wait = min(wait, max(next.Sub(k.cfg.Clock()), shortly))
			}
		}
		over.Reset(wait)
	}
}

// endThat ends the sessions for which a function tells a cause, and reports whether
// that failed for some.
func (k *Keeper) endThat(why func(*session, time.Time) Cause) (failed bool) {
	k.admission.Lock()
	defer k.admission.Unlock()
	now := k.cfg.Clock()
	causes := make(map[*session]Cause)
	k.mu.RLock()
	for _, s := range k.in.byID {
		if cause := why(s, now); cause != "" {
			causes[s] = cause
		}
	}
	k.mu.RUnlock()
	for s, cause := range causes {
		if err := k.end(s, cause); err != nil {
			failed = true
			k.cfg.Log.Error("a session of the portal cannot be ended, it is tried again", "session", s.ID, "err", err)
		}
	}
	return failed
}

// look ends who is idle or has nothing left, and has Followers told.
func (k *Keeper) look() {
	k.admission.Lock()
	k.measure(k.all()...)
	k.admission.Unlock()
	var left map[string]int64
	if k.cfg.Volume != nil {
		left = k.cfg.Volume.All()
	}
	k.endThat(func(s *session, now time.Time) Cause {
		if n, counted := left[s.User]; s.Bytes != nil && counted && n <= 0 {
			return CauseVolume
		}
		if k.cfg.Traffic != nil && s.Idle > 0 && now.Sub(s.Seen) >= s.Idle {
			return CauseIdle
		}
		return ""
	})
	k.report()
}

// report has Followers told of what has moved, where it is time.
func (k *Keeper) report() {
	now := k.cfg.Clock()
	var due []*session
	k.mu.Lock()
	for _, s := range k.in.byID {
		if _, follows := k.ways[s.Way].(Follower); !follows || s.Interim <= 0 {
			continue
		}
		last := s.Reported
		if last.IsZero() {
			last = s.Since
		}
		if now.Sub(last) >= s.Interim {
			s.Reported = now
			due = append(due, s)
		}
	}
	k.mu.Unlock()
	for _, s := range due {
		k.teller.add(s, told{})
	}
}

// measure takes into account what the devices of sessions have moved.
func (k *Keeper) measure(all ...*session) {
	if k.cfg.Traffic == nil {
		return
	}
	now := k.cfg.Clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range all {
		if f := k.cfg.Traffic.Moved(s.MAC); f != s.mark {
			s.Moved.add(f.since(s.mark))
			s.mark, s.Seen, s.dirty = f, now, true
		}
	}
}

// since returns what was moved since earlier figures; counting may have begun anew.
func (f Figures) since(o Figures) Figures {
	if f.BytesIn < o.BytesIn || f.BytesOut < o.BytesOut {
		return f
	}
	return Figures{f.BytesIn - o.BytesIn, f.BytesOut - o.BytesOut, f.PacketsIn - o.PacketsIn, f.PacketsOut - o.PacketsOut}
}

func (f *Figures) add(o Figures) {
	f.BytesIn += o.BytesIn
	f.BytesOut += o.BytesOut
	f.PacketsIn += o.PacketsIn
	f.PacketsOut += o.PacketsOut
}

// save writes figures, and sees to it that others know of sessions what the Keeper does.
func (k *Keeper) save() {
	k.admission.Lock()
	defer k.admission.Unlock()
	if err := errors.Join(k.saveFigures(), k.agree()); err != nil {
		k.cfg.Log.Error("the portal's sessions cannot be kept as they should, it is tried again", "err", err)
	}
}

// saveFigures writes the sessions whose figures the file does not have. k.admission is
// held.
func (k *Keeper) saveFigures() error {
	left := k.Left()
	k.mu.Lock()
	var all []*session
	for _, s := range k.in.byID {
		if n, ok := left[s.User]; ok && s.Bytes != nil && (s.Left == nil || *s.Left != n) {
			s.Left, s.dirty = &n, true
		}
		if s.dirty {
			s.dirty = false
			one := *s
			all = append(all, &one)
		}
	}
	k.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	return k.store.save(all...)
}
