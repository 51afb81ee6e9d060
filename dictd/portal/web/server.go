// SPDX-License-Identifier: MIT

package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dictd/internal/httpd"
	"nftdict/dictd/portal"
)

// Limits of a request.
const (
	maxHeader     = 8 << 10
	headerTimeout = 10 * time.Second // for a handshake, and for a header
	bodyTimeout   = 15 * time.Second // for a request to be whole
	idleTimeout   = 20 * time.Second // between two requests
	writeTimeout  = 60 * time.Second // for an answer, whoever has to be asked for it
	stopTimeout   = time.Second
)

// Server is the portal as clients reach it. Its methods may be called at any time.
type Server struct {
	desk portal.Desk
	log  *slog.Logger
	site atomic.Pointer[site]
	cert atomic.Pointer[tls.Certificate]
	hall *httpd.Hall
}

// New returns a server. Errors are about the settings.
func New(set Settings, desk portal.Desk, log *slog.Logger) (*Server, error) {
	s := &Server{desk: newWindow(desk), log: log, hall: httpd.NewHall(placesHere(), maxOfAddress)}
	return s, s.Set(set)
}

// Set changes the settings for all requests from now on. With an error the old ones
// stay.
func (s *Server) Set(set Settings) error {
	site, err := newSite(set, s.desk, s.log, time.Now)
	if err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	s.site.Store(site)
	return nil
}

// SetCertificate changes the certificate for all connections from now on.
func (s *Server) SetCertificate(c *tls.Certificate) { s.cert.Store(c) }

// Serve answers until ctx ends, on ports of HTTP and of HTTPS.
func (s *Server) Serve(ctx context.Context, plain, secure []net.Listener) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one request at a time keeps a client's share small
	srv := &http.Server{
		Handler: s, Protocols: protocols, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, WriteTimeout: writeTimeout,
		ConnContext:                  httpd.WithSeat,
		DisableGeneralOptionsHandler: true,
		// What clients do wrong is theirs to know.
		ErrorLog: httpd.Panics(s.log),
	}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	})
	defer stop()
	var all errgroup.Group
	for _, ln := range plain {
		all.Go(func() error { return srv.Serve(s.hall.Port(ln, true)) })
	}
	secrets := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c := s.cert.Load(); c != nil {
				return c, nil
			}
			return nil, errors.New("there is no certificate")
		},
	}
	for _, ln := range secure {
		all.Go(func() error { return srv.Serve(tls.NewListener(s.hall.Port(ln, false), secrets)) })
	}
	if err := all.Wait(); !errors.Is(err, http.ErrServerClosed) || ctx.Err() == nil {
		return fmt.Errorf("portal: %w", err)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	httpd.Spoke(r.Context())
	s.site.Load().ServeHTTP(w, r)
}
