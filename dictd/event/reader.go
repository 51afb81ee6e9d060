// SPDX-License-Identifier: MIT

package event

import (
	"context"
	"time"
)

// Reader follows a Log. One goroutine at a time may call its methods.
type Reader struct {
	log    *Log
	filter Filter
	wants  [classes]bool // of which it wants any
	wake   chan struct{}

	// Under log.mu.
	at    uint64          // number of the last event that was read
	past  [classes]uint64 // number up to which a class has no more to read
	first *Event          // a Reset that is not told yet
}

// Subscribe returns a Reader of the events after a position; Close must follow.
func (l *Log) Subscribe(p Position, f Filter) *Reader {
	r := &Reader{log: l, filter: f, wake: make(chan struct{}, 1)}
	for c := range r.wants {
		r.wants[c] = f.wants(class(c))
	}
	if l == nil {
		return r
	}
	now := l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Boot != "" && p.Boot != l.boot || p.After > l.seq {
		p.After = 0
		r.first = &Event{Time: now, Kind: Reset, Data: Restart{l.boot}}
	}
	r.at = p.After
	l.expire(now)
	if r.wants[sessions] {
		if l.until.Load() == 0 {
			l.rings[sessions].clear(l.seq)
		}
		l.until.Store(forever)
		l.following++
	}
	l.readers[r] = struct{}{}
	return r
}

// Close ends a Reader.
func (r *Reader) Close() {
	l := r.log
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.readers[r]; !ok {
		return
	}
	delete(l.readers, r)
	if !r.wants[sessions] {
		return
	}
	if l.following--; l.following == 0 {
		l.until.Store(l.clock().Add(grace).UnixNano())
	}
}

// Read waits for events, writes them to dst in their order, and returns how many,
// at least one. A Gap stands before what follows it, with the number of the event
// before. It returns 0 with the error of ctx when that ends.
func (r *Reader) Read(ctx context.Context, dst []Event) (int, error) {
	return r.read(ctx, nil, dst)
}

// ReadWithin is Read, but returns 0 and nil when nothing happened for a time.
func (r *Reader) ReadWithin(ctx context.Context, wait time.Duration, dst []Event) (int, error) {
	t := time.NewTimer(wait)
	defer t.Stop()
	return r.read(ctx, t.C, dst)
}

func (r *Reader) read(ctx context.Context, late <-chan time.Time, dst []Event) (int, error) {
	for {
		if n := r.take(dst); n > 0 {
			return n, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-late:
			return 0, nil
		case <-r.wake:
		}
	}
}

// Position returns the place after all that was read, and after what this reader
// does not want.
func (r *Reader) Position() Position {
	l := r.log
	if l == nil {
		return Position{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{l.boot, r.at}
}

// take writes the events that are there.
func (r *Reader) take(dst []Event) (n int) {
	l := r.log
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.first != nil && len(dst) > 0 {
		dst[0], r.first, n = *r.first, nil, 1
	}
	for n < len(dst) {
		e, ok := r.next()
		if !ok {
			break
		}
		dst[n] = e
		n++
	}
	return n
}

// next returns the event that comes next; log.mu is held.
func (r *Reader) next() (Event, bool) {
	l := r.log
	var oldest *Event
	for c := range class(classes) {
		if !r.wants[c] {
			continue
		}
		ring, seen := &l.rings[c], max(r.at, r.past[c])
		if ring.lost > seen {
			r.past[c] = ring.lost
			return Event{Seq: r.at, Time: l.clock(), Kind: Gap, Data: Lost{seen, ring.lost, r.filter.of(c)}}, true
		}
		for i := ring.after(seen); i < len(ring.buf); i++ {
			e := ring.at(i)
			if r.filter.has(e.Kind) {
				if oldest == nil || e.Seq < oldest.Seq {
					oldest = e
				}
				break
			}
			r.past[c] = e.Seq
		}
	}
	if oldest == nil {
		r.at = l.seq
		return Event{}, false
	}
	r.at = oldest.Seq
	return *oldest, true
}
