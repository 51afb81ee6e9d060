// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/identity"
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
}

// Limits of a request.
const (
	requestTimeout = 10 * time.Second
	writeTimeout   = 60 * time.Second
	maxHeader      = 16 << 10
	maxBody        = 64 << 10
	stopTimeout    = 2 * time.Second
)

// Server answers on a unix socket.
type Server struct {
	path string
	ln   net.Listener
	src  Source
}

// Listen makes the socket, readable for its owner alone. It replaces a socket
// that nobody listens on, and refuses to replace anything else.
func Listen(path string, src Source) (*Server, error) {
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
	ln, err := listenPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &Server{path: path, ln: ln, src: src}, nil
}

// listenPrivate binds the socket under a name of its own, and gives it its
// name with its mode in place: at no time may others open it.
func listenPrivate(path string) (net.Listener, error) {
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	err = os.Chmod(temporary, 0o600)
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
		Handler: s.handler(), ReadTimeout: requestTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: requestTimeout, MaxHeaderBytes: maxHeader,
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

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.src.Status()) })
	mux.HandleFunc("GET /v1/sessions", s.sessions)
	mux.HandleFunc("GET /v1/sessions/{ctid}/why", s.why)
	s.handleWho(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			refuse(w, http.StatusMethodNotAllowed, "method "+r.Method+": not allowed", "use GET; PUT and DELETE are for /v1/users/NAME and /v1/devices/MAC/user")
			return
		}
		refuse(w, http.StatusNotFound, fmt.Sprintf("path %q: does not exist", r.URL.Path),
			"there are /v1/status, /v1/sessions, /v1/sessions/CTID/why, /v1/hosts, /v1/devices and /v1/users")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// sessions writes an array, one session after the other: there may be many.
func (s *Server) sessions(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := -1
	if text := query.Get("limit"); text != "" {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("limit %q: invalid", text), "give a number")
			return
		}
		limit = int(n)
	}
	application := query.Get("application")
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriter(w)
	defer out.Flush()
	enc := json.NewEncoder(out)
	out.WriteByte('[')
	n := 0
	for _, one := range s.src.Sessions() {
		if n == limit {
			break
		}
		if !one.Lock() {
			continue
		}
		d := Describe(one)
		one.Unlock()
		if application != "" && !strings.EqualFold(application, d.Application) {
			continue
		}
		if n++; n > 1 {
			out.WriteByte(',')
		}
		if enc.Encode(&d) != nil {
			return
		}
	}
	out.WriteString("]\n")
}

func (s *Server) why(w http.ResponseWriter, r *http.Request) {
	text := r.PathValue("ctid")
	id, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("conntrack id %q: invalid", text), "give the number that `conntrack -L -o id` shows")
		return
	}
	for _, one := range s.src.Find(uint32(id)) {
		if one.Lock() {
			why := Why{Describe(one), one.Class.Evidence()}
			one.Unlock()
			answer(w, http.StatusOK, &why)
			return
		}
	}
	refuse(w, http.StatusNotFound, fmt.Sprintf("session %d: does not exist", id),
		"it may have ended, or begun before the daemon; `dictctl sessions` lists those it knows")
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
