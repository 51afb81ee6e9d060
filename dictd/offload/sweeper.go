// SPDX-License-Identifier: MIT

package offload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Sweeper has the kernel look at once for what cards still carry of connections that are
// not in a flowtable any more, and have it taken away, for which it else looks each second. It
// does so for all flowtables whenever a network device goes down, wherever: here one of a
// network namespace where there is nothing else. Nothing goes out of what it is to carry on.
type Sweeper struct {
	o SweeperOptions

	opening sync.Mutex
	lo      *loopback // nil until it is opened
	failed  error     // why it cannot be opened

	mu    sync.Mutex
	asked chan struct{} // closed when what was asked for is done; nil if nothing is
	last  chan struct{} // what was asked for last
	ended bool
	wake  chan struct{}
}

// SweeperOptions are what a Sweeper works on.
type SweeperOptions struct {
	NetNS int // descriptor of the network namespace; 0 means the caller's
	Log   *slog.Logger
}

// NewSweeper returns a Sweeper, which does nothing before Run.
func NewSweeper(o SweeperOptions) *Sweeper { return &Sweeper{o: o, wake: make(chan struct{}, 1)} }

// ErrLingers says that cards carry connections for up to a second that have been taken out of a
// flowtable.
var ErrLingers = errors.New("connections that are taken back go on in devices for up to a second")

// Ready returns an ErrLingers where the kernel cannot be made to look.
func (s *Sweeper) Ready() error {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.lo == nil && s.failed == nil {
		if lo, err := openLoopback(); err != nil {
			s.failed = fmt.Errorf("%w: a network namespace of the daemon's own: %w", ErrLingers, err)
		} else {
			s.lo = &lo
		}
	}
	return s.failed
}

// Ask asks for what has left the flowtables until now. The channel is closed when no card
// carries that any more, or Run has ended.
func (s *Sweeper) Ask() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = make(chan struct{})
		s.last = s.asked
	}
	asked := s.asked
	if s.ended {
		s.release()
		return asked
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
	return asked
}

// Asked returns the channel of the last Ask, a closed one if there was none.
func (s *Sweeper) Asked() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = make(chan struct{})
		close(s.last)
	}
	return s.last
}

// release lets those go who wait. The Sweeper is locked.
func (s *Sweeper) release() {
	if s.asked != nil {
		close(s.asked)
		s.asked = nil
	}
}

// take returns who waits.
func (s *Sweeper) take() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// rest is for how many times as long as a sweep took there is none: network devices
// cannot be changed meanwhile.
const rest = 9

// Run does what is asked for until ctx ends, which closes the Sweeper.
func (s *Sweeper) Run(ctx context.Context) error {
	defer s.end()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		asked := s.take()
		begin := time.Now()
		text := ""
		swept, err := s.sweep()
		if err != nil {
			text = err.Error()
		}
		if text != told && text != "" {
			s.o.Log.Warn("the kernel cannot be made to look what devices carry", "err", text)
		}
		told = text
		took := time.Since(begin)
		if asked != nil {
			close(asked)
		}
		if !swept {
			continue // no network device was held up
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest * took):
		}
	}
}

// sweep has the kernel look, where devices are to carry connections; false where none are.
func (s *Sweeper) sweep() (swept bool, err error) {
	tables, err := List(s.o.NetNS)
	if err != nil {
		return false, err
	}
	hardware := false
	for _, t := range tables {
		hardware = hardware || t.Hardware
	}
	if !hardware {
		return false, nil
	}
	if err := s.Ready(); err != nil {
		return false, err
	}
	// The kernel passes over what a card is just learning, but waits for that then.
	return true, errors.Join(s.lo.flap(), s.lo.flap())
}

func (s *Sweeper) end() {
	s.mu.Lock()
	s.ended = true
	s.release()
	s.mu.Unlock()
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.lo != nil {
		_ = s.lo.close()
	}
	s.lo, s.failed = nil, ErrLingers
}
