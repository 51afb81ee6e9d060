// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"nftdict/dictd/session"
)

// handleSessions adds what is about sessions.
func (s *Server) handleSessions(mux *router) {
	mux.HandleFunc("GET /v1/sessions", s.sessions)
	mux.HandleFunc("GET /v1/sessions/{ctid}", func(w http.ResponseWriter, r *http.Request) {
		s.session(w, r, func(one *session.Session) any { d := Describe(one); return &d })
	})
	mux.HandleFunc("GET /v1/sessions/{ctid}/why", func(w http.ResponseWriter, r *http.Request) {
		s.session(w, r, func(one *session.Session) any { return &Why{Describe(one), one.Class.Evidence()} })
	})
}

// sessions lists them, in the order of their numbers where a part is asked for.
func (s *Server) sessions(w http.ResponseWriter, r *http.Request) {
	query, p, ok := parsePage(w, r, "application")
	if !ok {
		return
	}
	after := int64(-1)
	if p.after != "" {
		n, err := strconv.ParseInt(p.after, 10, 64)
		if err != nil || n < 0 {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("after %q: invalid", p.after), "give the session_id of the last of the page before")
			return
		}
		after = n
	}
	application := query.Get("application")
	all := s.src.Sessions()
	if after >= 0 || p.limit >= 0 {
		slices.SortFunc(all, func(a, b *session.Session) int { return cmp.Compare(a.Serial(), b.Serial()) })
	}
	list := newArray(w)
	defer list.end()
	for _, one := range all {
		if list.n == p.limit {
			break
		}
		if one.Serial() <= after || !one.Lock() {
			continue
		}
		d := Describe(one)
		one.Unlock()
		if application != "" && !strings.EqualFold(application, d.Application) {
			continue
		}
		if !list.add(&d) {
			return
		}
	}
}

// session answers with what is told of a locked session, the one of a conntrack
// id.
func (s *Server) session(w http.ResponseWriter, r *http.Request, tell func(*session.Session) any) {
	text := r.PathValue("ctid")
	id, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("conntrack id %q: invalid", text), "give the number that `conntrack -L -o id` shows")
		return
	}
	if _, ok := parseQuery(w, r); !ok {
		return
	}
	for _, one := range s.src.Find(uint32(id)) {
		if one.Lock() {
			v := tell(one)
			one.Unlock()
			answer(w, http.StatusOK, v)
			return
		}
	}
	refuse(w, http.StatusNotFound, fmt.Sprintf("session %d: does not exist", id),
		"it may have ended, or begun before the daemon; `dictctl sessions` lists those it knows")
}
