// SPDX-License-Identifier: MIT

package classifier

import "sync"

// trial is the part of a session that lives while detectors are undecided, or
// while the one that has it remembers something.
type trial struct {
	home  *sync.Pool // where it goes when it is over
	alive [2]idSet   // detectors that have not said no, per direction
	memos memos
}

// tried returns the session's trial, made if need be.
func (c *Classifier) tried(s *Session) *trial {
	if s.trial == nil {
		t := c.trials.Get().(*trial)
		t.alive, t.memos.owner = [2]idSet{}, [maxMemos]uint8{}
		s.trial = t
	}
	return s.trial
}

// endTrial gives the trial back.
func (s *Session) endTrial() {
	if t := s.trial; t != nil {
		s.trial = nil
		t.home.Put(t)
	}
}
