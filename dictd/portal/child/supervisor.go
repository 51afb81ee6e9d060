// SPDX-License-Identifier: MIT

package child

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dictd/portal"
	"nftdict/dictd/portal/web"
)

// Options of New.
type Options struct {
	// HTTP and HTTPS listen already, in the network namespace where clients are. The
	// Supervisor owns them. HTTPS is empty where there is no certificate.
	HTTP, HTTPS []*net.TCPListener
	// UID and GID are whose process it becomes. They are looked at where the daemon is root.
	UID, GID uint32
	Desk     portal.Desk
	Log      *slog.Logger
}

// Supervisor keeps the process with the pages. Its methods may be called at any time.
type Supervisor struct {
	Options
	files []*os.File // of the sockets that listen: HTTP, then HTTPS
	key   []byte     // of forms: they outlive a process

	mu     sync.Mutex
	config Config
	orders orders
	stamp  stamp
	news   chan struct{} // there are other orders
	pid    int           // 0: there is no process
}

// orders are what the process is told: all of it each time.
type orders struct {
	Web  web.Settings `json:"web"`
	Pair *pair        `json:"pair,omitempty"`
}

// New returns a Supervisor. A certificate that cannot be used is an error, a theme that
// cannot is a line in the log: the built-in one is used. With an error the sockets
// are still the caller's.
func New(o Options, c Config) (*Supervisor, error) {
	s := &Supervisor{Options: o, key: make([]byte, keyLen), news: make(chan struct{}, 1)}
	rand.Read(s.key) // never fails
	if err := s.Set(c); err != nil {
		return nil, err
	}
	for _, ln := range append(append([]*net.TCPListener{}, o.HTTP...), o.HTTPS...) {
		f, err := ln.File()
		if err != nil {
			s.closeFiles()
			return nil, fmt.Errorf("portal: %s: %w", ln.Addr(), err)
		}
		s.files = append(s.files, f)
	}
	for _, ln := range append(append([]*net.TCPListener{}, o.HTTP...), o.HTTPS...) {
		ln.Close() // the files listen
	}
	return s, nil
}

func (s *Supervisor) closeFiles() {
	for _, f := range s.files {
		f.Close()
	}
}

// Close closes the sockets of a Supervisor that does not run.
func (s *Supervisor) Close() { s.closeFiles() }

// PID is the process's, 0 if there is none at the moment.
func (s *Supervisor) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

// Set changes what the pages are like. With an error all stays as it was.
func (s *Supervisor) Set(c Config) error {
	stamp := c.stampOf() // before they are read: what changes now is read again
	p, err := s.pair(&c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set, complaint, err := c.settings(p, s.orders.Web.Theme, s.key) // of the first time it is the built-in one
	if err != nil {
		return err
	}
	if complaint != nil {
		s.Log.Error("the portal's theme cannot be used, the one before stays", "err", complaint)
	}
	s.config, s.stamp, s.orders = c, stamp, orders{*set, p}
	s.tell()
	return nil
}

// pair reads the certificate, or makes one: as long as the names stay it is the same.
func (s *Supervisor) pair(c *Config) (*pair, error) {
	s.mu.Lock()
	old := s.orders.Pair
	same := c.Certificate == "" && s.config.Certificate == "" && slices.Equal(c.SelfSigned, s.config.SelfSigned)
	s.mu.Unlock()
	if same && old != nil {
		return old, nil
	}
	return c.readPair()
}

// tell makes the process hear of new orders. The Supervisor is locked.
func (s *Supervisor) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// current are the orders as they are.
func (s *Supervisor) current() orders {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.orders
}

// lookEvery is how often the files of the certificate are looked at.
const lookEvery = 2 * time.Second

// look reads the certificate again if its files have changed.
func (s *Supervisor) look() {
	s.mu.Lock()
	c, old := s.config, s.stamp
	s.mu.Unlock()
	if c.Certificate == "" {
		return
	}
	now := c.stampOf()
	if now == old {
		return
	}
	p, err := c.readPair()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stamp != old { // there is another configuration meanwhile
		return
	}
	s.stamp = now
	if err != nil { // half of a renewal, perhaps: the other file is looked at, too
		s.Log.Warn("the portal's new certificate cannot be used, the one before stays", "err", err)
		return
	}
	s.orders.Pair = p
	s.config.complete(&s.orders.Web, p)
	s.Log.Info("the portal has a new certificate")
	s.tell()
}

// Pauses before a process that has ended has a successor: longer if it did not live
// long.
const (
	shortPause = 50 * time.Millisecond
	longPause  = 5 * time.Second
	longLife   = 10 * time.Second
)

// Run keeps a process until ctx ends, and closes the sockets.
func (s *Supervisor) Run(ctx context.Context) error {
	defer s.closeFiles()
	var all errgroup.Group
	all.Go(func() error {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				s.look()
			}
		}
	})
	all.Go(func() error {
		pause := shortPause
		for ctx.Err() == nil {
			began := time.Now()
			err := s.once(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if time.Since(began) > longLife {
				pause = shortPause
			}
			s.Log.Error("the portal's pages have ended, they begin again", "err", err, "pause", pause)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longPause)
		}
		return nil
	})
	return errors.Join(all.Wait(), ctx.Err())
}
