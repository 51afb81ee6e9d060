// SPDX-License-Identifier: MIT

package operator

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"nftdict/dictd/internal/httpd"
	"nftdict/dictd/password"
)

// maxForm bounds what a login sends, in bytes.
const maxForm = 8 << 10

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
	defer httpd.Working(r.Context())()
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
	for one := range s.shown(r) { // who logs in again has one session
		if one.who.Name == who.Name {
			s.sessions.finish(one)
		}
	}
	cookie, key := s.sessions.begin(who)
	s.setCookie(w, r, cookie)
	s.cfg.Log.Info("logged in to the operator's page", "operator", who.Name, "from", from(r))
	http.Redirect(w, r, "/#key="+key, http.StatusSeeOther) // what is behind # is the page's alone
}

// logout ends the session of a request.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if one := s.session(r); one != nil {
		s.sessions.finish(one)
		s.cfg.Log.Info("logged out of the operator's page", "operator", one.who.Name, "from", from(r))
		s.setCookie(w, r, "")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	tell(w, http.StatusUnauthorized, "not logged in", "log in")
}
