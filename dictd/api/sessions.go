// SPDX-License-Identifier: MIT

package api

import (
	"fmt"
	"net/http"
	"strconv"

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
