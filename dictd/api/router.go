// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// router is an http.ServeMux whose patterns are known, whose refusals are answers
// of the API, and which asks for rights: to change something by any method but GET
// and HEAD.
type router struct {
	mux      *http.ServeMux
	patterns []string // "GET /v1/status", in the order of their registration
	may      func(p *Peer, change bool) bool
}

// HandleFunc registers a handler for a method and a path.
func (m *router) HandleFunc(pattern string, handle func(http.ResponseWriter, *http.Request)) {
	m.mux.HandleFunc(pattern, handle)
	m.patterns = append(m.patterns, pattern)
}

// peerKey is where the context of a request has its Peer.
type peerKey struct{}

// reading reports whether a method changes nothing.
func reading(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// ServeHTTP implements http.Handler.
func (m *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	peer, _ := r.Context().Value(peerKey{}).(*Peer)
	if peer == nil || !m.may(peer, !reading(r.Method)) {
		m.forbid(w, r, peer)
		return
	}
	escaped := r.URL.EscapedPath()
	if path.Clean(escaped) != escaped {
		refuse(w, http.StatusNotFound, fmt.Sprintf("path %q: does not exist", r.URL.Path), "leave out empty parts, `.` and `..`, and a slash at the end")
		return
	}
	handle, pattern := m.mux.Handler(r)
	if pattern == "" {
		m.miss(w, r, handle)
		return
	}
	if !accepts(r, pattern) {
		refuse(w, http.StatusNotAcceptable, fmt.Sprintf("Accept %q: not to be had", r.Header.Get("Accept")), "leave it out: answers are application/json, those of /v1/events text/event-stream")
		return
	}
	if !reading(r.Method) {
		if _, ok := parseQuery(w, r); !ok { // what is to change is in the path and the body
			return
		}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	m.mux.ServeHTTP(w, r)
}

// forbid answers who has no right.
func (m *router) forbid(w http.ResponseWriter, r *http.Request, peer *Peer) {
	w.Header().Set("Connection", "close") // a place for others
	what, key := "ask", "api.read"
	if peer != nil && m.may(peer, false) {
		what, key = "change anything", "api.write"
	}
	uid := "unknown"
	switch {
	case peer != nil && peer.page:
		refuse(w, http.StatusForbidden, fmt.Sprintf("%s %s: this operator may not %s", r.Method, r.URL.Path, what), "dictctl operator password NAME --write")
		return
	case peer != nil:
		uid = fmt.Sprint(peer.UID)
	}
	refuse(w, http.StatusForbidden, fmt.Sprintf("%s %s: user %s may not %s", r.Method, r.URL.Path, uid, what),
		fmt.Sprintf("be root, or put user:NAME or group:NAME into %s of dictd.toml and reload dictd", key))
}

// miss answers where no pattern fits.
func (m *router) miss(w http.ResponseWriter, r *http.Request, handle http.Handler) {
	var said verdict
	handle.ServeHTTP(&said, r)
	if allow := said.Header().Get("Allow"); said.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", allow)
		refuse(w, http.StatusMethodNotAllowed, fmt.Sprintf("method %s: not allowed for %s", r.Method, r.URL.Path), "use one of "+allow)
		return
	}
	remedy := "GET /v1/openapi.json tells all there is"
	if first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); first != "v1" {
		remedy = "this dictd speaks version 1 alone: paths begin with /v1/; " + remedy
	}
	refuse(w, http.StatusNotFound, fmt.Sprintf("path %q: does not exist", r.URL.Path), remedy)
}

// verdict is what the mux says where no pattern fits.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header {
	if v.header == nil {
		v.header = make(http.Header)
	}
	return v.header
}
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }

// eventsPattern is the one that answers no JSON.
const eventsPattern = "GET /v1/events"

// accepts reports whether a request takes what a pattern answers.
func accepts(r *http.Request, pattern string) bool {
	all := r.Header.Values("Accept")
	if len(all) == 0 {
		return true
	}
	have := "application/json"
	if pattern == eventsPattern {
		have = "text/event-stream"
	}
	major, _, _ := strings.Cut(have, "/")
	for word := range strings.SplitSeq(strings.Join(all, ","), ",") {
		media, _, _ := strings.Cut(word, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case have, major + "/*", "*/*":
			return true
		}
	}
	return false
}

// withPeer puts the Peer of a connection into the context of its requests.
func withPeer(ctx context.Context, p *Peer) context.Context {
	return context.WithValue(ctx, peerKey{}, p)
}
