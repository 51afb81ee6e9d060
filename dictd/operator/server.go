// SPDX-License-Identifier: MIT

package operator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"nftdict/dictd/internal/httpd"
)

// Limits of connections.
const (
	maxConnections = 256 // of which one address has a quarter
	readTimeout    = 10 * time.Second
	writeTimeout   = 60 * time.Second // answers of the API put it off
	idleTimeout    = 2 * time.Minute
	maxHeader      = 16 << 10
	stopTimeout    = 2 * time.Second
	tidyEvery      = time.Second
)

// Config of a Server.
type Config struct {
	Listener net.Listener // becomes the server's
	// Certificate and Key are files; empty is HTTP without TLS, for this machine alone.
	Certificate, Key string
	Passwords        string // the file of operators
	Idle, Session    time.Duration
	// Read and Write are the API for those who may ask, and who may change.
	Read, Write http.Handler
	Version     string
	Clock       func() time.Time
	Log         *slog.Logger
}

// Server is the page.
type Server struct {
	cfg      Config
	cert     *certificate // nil without TLS
	roll     roll
	sessions *sessions
	limit    limit
	work     chan struct{} // one place for each password that is compared
	files    map[string]*file
	cross    *http.CrossOriginProtection
}

// New returns a Server. The listener is closed where it fails.
func New(c Config) (*Server, error) {
	s := &Server{
		cfg: c, roll: roll{path: c.Passwords}, sessions: newSessions(c.Clock, c.Idle, c.Session),
		limit: limit{clock: c.Clock, of: make(map[string]time.Time)}, work: make(chan struct{}, 2), cross: http.NewCrossOriginProtection(),
	}
	var err error
	if s.files, err = readFiles(); err != nil {
		return nil, errors.Join(err, c.Listener.Close())
	}
	if c.Certificate != "" {
		s.cert = &certificate{cert: c.Certificate, key: c.Key}
		if _, err := s.cert.get(nil); err != nil {
			return nil, errors.Join(fmt.Errorf("operator's page: %w", err), c.Listener.Close())
		}
	}
	all, err := s.roll.list()
	switch {
	case err != nil:
		c.Log.Error("nobody can log in to the operator's page", "err", err)
	case len(all) == 0:
		c.Log.Warn("nobody can log in to the operator's page: there is no operator yet", "file", c.Passwords, "remedy", "dictctl operator password NAME")
	}
	return s, nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler: s, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: httpd.WithSeat,
		ErrorLog:    httpd.Panics(s.cfg.Log),
	}
	ln := httpd.NewHall(maxConnections, maxConnections/4).Port(s.cfg.Listener, false)
	if s.cert != nil {
		ln = tls.NewListener(ln, &tls.Config{GetCertificate: s.cert.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	})
	defer stop()
	tidied := make(chan struct{})
	go func() {
		defer close(tidied)
		s.tidy(ctx)
	}()
	err := srv.Serve(ln)
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		<-tidied
		return nil
	}
	return fmt.Errorf("operator's page: %w", err)
}

// Close closes the listener of a Server that did not run.
func (s *Server) Close() error { return s.cfg.Listener.Close() }

// tidy ends sessions that are over, with their streams, until ctx ends.
func (s *Server) tidy(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sessions.tidy(s.still)
		}
	}
}

// still reports whether an operator is still what he was when he logged in.
func (s *Server) still(o *Operator) bool {
	now, ok := s.roll.find(o.Name)
	return ok && now == *o
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.protect(w.Header())
	if !s.knows(r.Host) {
		http.Error(w, "this page has another name", http.StatusMisdirectedRequest)
		return
	}
	if err := s.cross.Check(r); err != nil {
		http.Error(w, "the request comes from another site", http.StatusForbidden)
		return
	}
	s.route(w, r)
}
