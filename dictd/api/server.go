// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/ledger"
	"nftdict/dictd/offload"
	"nftdict/dictd/portal"
	"nftdict/dictd/quota"
	"nftdict/dictd/session"
)

// Source is what the server tells about.
type Source interface {
	Status() *Status
	// Sessions returns the living sessions, unlocked.
	Sessions() []*session.Session
	// Find returns the sessions of a conntrack id, unlocked.
	Find(id uint32) []*session.Session
	// Directory knows who is behind addresses.
	Directory() *identity.Directory
	// Events is what happened; nil for nothing.
	Events() *event.Log
	// Usage returns what connections have moved, by period; ErrNoLedger if that is not
	// kept.
	Usage(ledger.Query) iter.Seq2[ledger.Uses, error]
	// Quotas keeps budgets.
	Quotas() *quota.Manager
	// Portal lets people in; nil if there is none.
	Portal() *portal.Keeper
	// Flows calls f for all connections, in no order, as long as it returns true. The
	// Flow is f's while it runs.
	Flows(f func(*Flow) bool) error
	// Tables are the dictionaries.
	Tables() Tables
	// Recall takes connections out of the flowtables, and returns how many were there.
	// It is no error if there are none.
	Recall(...offload.Whom) (int, error)
}

// Limits of a request.
const (
	requestTimeout = 10 * time.Second
	writeTimeout   = 60 * time.Second
	maxHeader      = 16 << 10
	maxBody        = 64 << 10
	stopTimeout    = 2 * time.Second
)

// times are how long is waited, shorter in tests.
type times struct {
	request   time.Duration // for a request to be whole, and for the next one
	heartbeat time.Duration // between signs of life of a stream
}

// Server answers on a unix socket.
type Server struct {
	path    string
	ln      net.Listener
	src     Source
	rights  atomic.Pointer[Rights]
	streams *places // of events
	times   times
}

// Listen makes the socket, which only root can open unless rights, which may be
// nil, name others. It replaces a socket that nobody listens on, and refuses to
// replace anything else.
func Listen(path string, src Source, rights *Rights) (*Server, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, fmt.Errorf("control socket %s: another daemon listens there", path)
	}
	if fi, err := os.Lstat(path); err == nil {
		if fi.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("control socket %s: there is a file that is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("control socket: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	ln, err := listenAs(path, rights.mode())
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	s := newServer(src)
	s.path = path
	s.ln = newGate(ln, func(p *Peer) bool { return s.may(p, false) })
	s.rights.Store(rights)
	return s, nil
}

// newServer returns a Server without a socket.
func newServer(src Source) *Server {
	return &Server{src: src, streams: newPlaces(maxStreams, maxStreamsOfUser, streamsForRoot), times: times{requestTimeout, heartbeat}}
}

// listenAs binds the socket under a name of its own, and gives it its name with
// its mode in place: at no time may others open it.
func listenAs(path string, mode fs.FileMode) (*net.UnixListener, error) {
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	err = os.Chmod(temporary, mode)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return nil, errors.Join(err, ln.Close(), os.Remove(temporary))
	}
	return ln, nil
}

// Run answers until ctx ends, and removes the socket.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler: s.handler(), ReadTimeout: s.times.request, WriteTimeout: writeTimeout,
		IdleTimeout: s.times.request, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx }, // streams end with it
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return withPeer(ctx, c.(*guest).peer) },
		// What clients do wrong is theirs to know.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	})
	defer stop()
	err := srv.Serve(s.ln)
	if rm := os.Remove(s.path); rm != nil && !errors.Is(rm, os.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("control socket: %w", err)
}

// Close removes the socket of a Server that did not run.
func (s *Server) Close() error {
	return errors.Join(s.ln.Close(), os.Remove(s.path))
}

func (s *Server) handler() *router {
	mux := &router{mux: http.NewServeMux(), may: s.may}
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); ok {
			answer(w, http.StatusOK, s.src.Status())
		}
	})
	s.handleSessions(mux)
	s.handleWho(mux)
	s.handleEvents(mux)
	s.handleUsage(mux)
	s.handleQuotas(mux)
	s.handlePortal(mux)
	s.handleFlows(mux)
	s.handleTables(mux)
	s.handleDocument(mux)
	return mux
}

// may reports whether a peer may ask, or change something.
func (s *Server) may(p *Peer, change bool) bool {
	if p != nil && p.page {
		return p.change || !change
	}
	return p != nil && s.rights.Load().May(p, change)
}

// Page returns the API for those whom a page in the browser has let in, with the right
// to change something or without. All of them have the places of one user.
func (s *Server) Page(change bool) http.Handler {
	handler := s.handler()
	peer := &Peer{UID: overflow, GID: overflow, page: true, change: change}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(withPeer(r.Context(), peer)))
	})
}

// SetRights changes who may ask and who may change, of all that comes from now on,
// and ends the streams of those who may not any more.
func (s *Server) SetRights(r *Rights) error {
	s.rights.Store(r)
	if err := os.Chmod(s.path, r.mode()); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

func refuse(w http.ResponseWriter, status int, text, remedy string) {
	answer(w, status, &Error{Text: text, Remedy: remedy})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone, if it fails
}

// IsAbsent reports whether err says that no daemon listens on the socket.
func IsAbsent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED)
}
