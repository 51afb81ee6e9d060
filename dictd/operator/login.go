// SPDX-License-Identifier: MIT

package operator

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"nftdict/dictd/password"
)

// maxForm bounds what a login sends, in bytes.
const maxForm = 8 << 10

// cookieName is the cookie's: with TLS it is bound to this very host.
func (s *Server) cookieName() string {
	if s.cert != nil {
		return "__Host-dictd-operator"
	}
	return "dictd-operator"
}

// setCookie gives the browser a cookie; "" takes it away.
func (s *Server) setCookie(w http.ResponseWriter, value string) {
	c := &http.Cookie{Name: s.cookieName(), Value: value, Path: "/", Secure: s.cert != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// session returns the session of a request, nil if nobody has logged in. A request that
// the page makes by itself, with the header X-Poll, keeps no session alive.
func (s *Server) session(r *http.Request) *session {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return nil
	}
	one := s.sessions.find(c.Value, r.Header.Get("X-Poll") == "" && r.URL.Path != "/v1/events")
	if one == nil || !s.still(&one.who) {
		return nil
	}
	return one
}

// login answers who sends a name and a password.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.loginPage(w, http.StatusBadRequest, "That was no form.")
		return
	}
	name, given := r.PostForm.Get("name"), r.PostForm.Get("password")
	known := ""
	if len(name) > maxName {
		name = name[:maxName]
	}
	who, there := s.roll.find(name)
	if there {
		known = name // what is no name may be a password that went into the wrong field
	}
	if wait, ok := s.limit.try(from(r), name); !ok {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		s.loginPage(w, http.StatusTooManyRequests, "Too many attempts. Wait "+(time.Duration(seconds)*time.Second).String()+".")
		s.cfg.Log.Warn("too many attempts at the operator's page", "operator", known, "from", from(r))
		return
	}
	select {
	case s.work <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	right := false
	if there {
		right, _ = password.Verify(who.Hash, given)
	} else {
		password.Waste(given)
	}
	<-s.work
	if !right {
		s.cfg.Log.Warn("refused at the operator's page", "operator", known, "from", from(r))
		s.loginPage(w, http.StatusUnauthorized, "Name or password is wrong.")
		return
	}
	if c, err := r.Cookie(s.cookieName()); err == nil { // who logs in again has one session
		s.sessions.finish(c.Value)
	}
	s.setCookie(w, s.sessions.begin(who))
	s.cfg.Log.Info("logged in to the operator's page", "operator", who.Name, "from", from(r))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// logout ends the session of a request.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if one := s.session(r); one != nil && one.trusts(r.Header.Get("X-Token")) {
		c, _ := r.Cookie(s.cookieName()) // it has one
		s.sessions.finish(c.Value)
		s.cfg.Log.Info("logged out of the operator's page", "operator", one.who.Name, "from", from(r))
		s.setCookie(w, "")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	tell(w, http.StatusUnauthorized, "not logged in", "log in")
}
