// SPDX-License-Identifier: MIT

package ledger

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Pace says how often rounds are done.
type Pace struct {
	Period time.Duration // between two rounds
	// Share is the most of one processor that rounds may take: where they cost
	// more they are done less often.
	Share float64
	// Hurry is asked after each round how soon the next should be, 0 if that does not
	// matter; may be nil. Rounds may take five times Share then.
	Hurry func(now time.Time) time.Duration
	// Failed is told of a round that failed, and of the first that does not (nil);
	// may be nil.
	Failed func(error)
}

// Run does rounds until ctx ends, with a last one then.
func (l *Ledger) Run(ctx context.Context, pace Pace) error {
	failing := false
	last := time.Now()
	for {
		cost, err := l.round()
		if (err != nil) != failing && pace.Failed != nil {
			pace.Failed(err)
		}
		failing = err != nil
		now := time.Now()
		l.note(now.Sub(last), cost, err)
		last = now
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(l.wait(pace, cost)):
		}
	}
}

// hurried is how many times as much rounds may take where there is a hurry.
const hurried = 5

// wait returns how long to wait after a round that has cost so much.
func (l *Ledger) wait(pace Pace, cost time.Duration) time.Duration {
	least := func(share float64) time.Duration { return time.Duration(float64(cost) / share) }
	d := max(pace.Period, least(pace.Share))
	if pace.Hurry != nil {
		if soon := pace.Hurry(l.cfg.Clock()); soon > 0 && soon < d {
			d = max(soon, least(min(1, pace.Share*hurried)))
		}
	}
	// An hour has what moved within it.
	now := l.cfg.Clock()
	if left := hourOf(now).Add(time.Hour).Sub(now); left < d {
		return left
	}
	return d
}

// round does one round, saves what it found, and returns what that took of a
// processor.
func (l *Ledger) round() (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := threadTime()
	if err != nil {
		return 0, err
	}
	err = l.Poll()
	if failed := l.Save(); failed != nil {
		err = fmt.Errorf("what was counted is not on the disk: %w", failed)
	}
	after, _ := threadTime()
	return after - before, err
}

func (l *Ledger) note(period, cost time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Period = period.Seconds()
	if period > 0 {
		l.stats.Cost = cost.Seconds() / period.Seconds()
	}
	if err != nil {
		l.stats.LastError = err.Error()
	}
}

// threadTime returns what the thread has had of a processor.
func threadTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		return 0, fmt.Errorf("ledger: processor time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
