// SPDX-License-Identifier: MIT

package operator

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"nftdict/dictd/api"
	"nftdict/dictd/internal/httpd"
)

// aboutSession is what the page is told of who looks at it.
type aboutSession struct {
	Name    string  `json:"name"`
	Write   bool    `json:"write"`
	Idle    float64 `json:"idle_seconds"`
	Version string  `json:"version"`
}

// route answers a request that is in order so far.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case strings.HasPrefix(path, "/v1/"):
		s.api(w, r, reading)
	case path == "/login" && r.Method == http.MethodPost:
		s.login(w, r)
	case path == "/logout" && r.Method == http.MethodPost:
		s.logout(w, r)
	case !reading:
		tell(w, http.StatusMethodNotAllowed, "not allowed", "use GET")
	case path == "/login":
		s.loginPage(w, http.StatusOK, "")
	case path == "/session":
		one := s.session(r)
		if one == nil || !sameSite(r) {
			tell(w, http.StatusUnauthorized, "not logged in", "log in")
			return
		}
		answer(w, http.StatusOK, aboutSession{one.who.Name, one.who.Write, s.cfg.Idle.Seconds(), s.cfg.Version})
	case path == "/":
		for range s.shown(r) {
			s.files["index.html"].serve(w, r)
			return
		}
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	default:
		f := s.files[strings.TrimPrefix(path, "/")]
		if f == nil || strings.HasSuffix(path, ".html") {
			tell(w, http.StatusNotFound, "there is no such page", "")
			return
		}
		f.serve(w, r)
	}
}

// api passes a request on to the API, for as long as the session lasts.
func (s *Server) api(w http.ResponseWriter, r *http.Request, reading bool) {
	one := s.session(r)
	if one == nil {
		tell(w, http.StatusUnauthorized, "not logged in", "log in")
		return
	}
	if !sameSite(r) {
		tell(w, http.StatusForbidden, "the request does not come from the page", "load the page again")
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(one.ctx, cancel)()
	handler := s.cfg.Read
	if one.who.Write {
		handler = s.cfg.Write
	}
	if !reading {
		s.cfg.Log.Info("changed by the operator's page", "operator", one.who.Name, "method", r.Method, "path", r.URL.Path)
	}
	defer httpd.Working(r.Context())() // others lose their places first
	handler.ServeHTTP(w, withoutKey(r.WithContext(ctx)))
}

// tell answers with an error in the form of the API.
func tell(w http.ResponseWriter, status int, text, remedy string) {
	answer(w, status, &api.Error{Text: text, Remedy: remedy})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone, if it fails
}
