// SPDX-License-Identifier: MIT

package overheard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Config says where and how to listen.
type Config struct {
	NetNS int // descriptor of the network namespace; 0 means the caller's
	// Handle is called while Run runs; the message is its own. It may be called by
	// many goroutines at once.
	Handle func(*Message)
}

// MaxRate is how many messages a second are looked at, of a family on an interface;
// maxLinks how many interfaces are listened to.
const (
	MaxRate  = 2000
	maxLinks = 256
)

// Listener hears what devices say.
type Listener struct {
	cfg   Config
	tasks sync.WaitGroup // of ears, while Run runs

	mu      sync.Mutex
	ears    map[uint32][]*ear // by interface
	running bool

	heard, refused, hurried, deaf atomic.Uint64
}

// Listen finds out whether sockets can be had. Nothing is heard before SetLinks.
// Close must follow.
func Listen(cfg Config) (*Listener, error) {
	l := &Listener{cfg: cfg, ears: make(map[uint32][]*ear)}
	for _, f := range families() {
		e, err := openEar(cfg.NetNS, 0, f)
		if err != nil {
			return nil, fmt.Errorf("overheard: %w", err)
		}
		if err := e.file.Close(); err != nil {
			return nil, fmt.Errorf("overheard: %w", err)
		}
	}
	return l, nil
}

// Close closes the sockets.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for index := range l.ears {
		errs = append(errs, l.drop(index))
	}
	return errors.Join(errs...)
}

// drop closes the ears of an interface; l.mu is held. Who reads them ends.
func (l *Listener) drop(index uint32) error {
	var errs []error
	for _, e := range l.ears[index] {
		errs = append(errs, e.file.Close())
	}
	delete(l.ears, index)
	return errors.Join(errs...)
}

// SetLinks says which interfaces are listened to, by index. What cannot be, as a
// device that is gone already, is counted.
func (l *Listener) SetLinks(links map[uint32]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for index := range l.ears {
		if _, stays := links[index]; !stays {
			_ = l.drop(index) // nothing is left to do with it
		}
	}
	for index := range links {
		if l.ears[index] != nil {
			continue
		}
		if len(l.ears) >= maxLinks {
			l.deaf.Add(1)
			continue
		}
		for _, f := range families() {
			e, err := openEar(l.cfg.NetNS, int(index), f)
			if err != nil {
				l.deaf.Add(1)
				continue
			}
			l.ears[index] = append(l.ears[index], e)
			if l.running {
				l.start(e)
			}
		}
	}
}

// start has an ear read until it is closed; l.mu is held.
func (l *Listener) start(e *ear) {
	l.tasks.Go(func() {
		buf := make([]byte, maxPacket)
		for l.receive(e, buf) {
		}
	})
}

// Run hears until ctx ends. Close must follow.
func (l *Listener) Run(ctx context.Context) error {
	l.mu.Lock()
	l.running = true
	for _, ears := range l.ears {
		for _, e := range ears {
			l.start(e)
		}
	}
	l.mu.Unlock()
	<-ctx.Done()
	l.mu.Lock()
	l.running = false
	l.mu.Unlock()
	err := l.Close()
	l.tasks.Wait()
	return err
}

// Stats are a Listener's counters.
type Stats struct {
	Heard   uint64 `json:"heard"`   // messages that say something of who sent them
	Refused uint64 `json:"refused"` // others, most of them questions
	Hurried uint64 `json:"hurried"` // not looked at: too many in a second
	Deaf    uint64 `json:"deaf"`    // times that an interface could not be listened to
}

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	return Stats{l.heard.Load(), l.refused.Load(), l.hurried.Load(), l.deaf.Load()}
}
