// SPDX-License-Identifier: MIT

package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"nftdict/dictd/internal/httpd"
	"nftdict/dictd/portal"
)

// welcome is the page that lets people in.
func (s *site) welcome(w http.ResponseWriter, r *http.Request) {
	s.again(w, r, "")
}

// again shows it, perhaps with a problem of the pages' own.
func (s *site) again(w http.ResponseWriter, r *http.Request, problem string) {
	p := s.page(r, pageEnter)
	v, err := s.desk.Visitor(r.Context(), s.from(r, p.Lang))
	if err != nil {
		p.template = pageError
		s.blame(p, err)
		s.show(w, r, p)
		return
	}
	if v.In {
		if problem == "" {
			see(w, r, "/status")
			return
		}
		p.template = pageStatus
	}
	p.Visitor, p.Problem = v, problem
	s.show(w, r, p)
}

// status is the page of those who are in.
func (s *site) status(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, pageStatus)
	v, err := s.desk.Visitor(r.Context(), s.from(r, p.Lang))
	switch {
	case err != nil:
		p.template = pageError
		s.blame(p, err)
	case !v.In:
		see(w, r, "/")
		return
	default:
		httpd.Dismiss(r.Context(), remoteAddr(r))
	}
	p.Visitor = v
	s.show(w, r, p)
}

func (s *site) terms(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, s.page(r, pageTerms))
}

func (s *site) goodbye(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, s.page(r, pageLeft))
}

// enter takes what somebody gives to be let in.
func (s *site) enter(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, pageEnter)
	c := portal.Credentials{Way: field(r, "way"), Name: strings.TrimSpace(field(r, "name")), Secret: field(r, "secret")}
	from := s.from(r, p.Lang)
	v, err := s.desk.Enter(r.Context(), from, c)
	if err == nil {
		s.letIn(w, r, &v)
		return
	}
	s.blame(p, err)
	p.Tried = Tried{c.Way, c.Name}
	if p.Visitor, err = s.desk.Visitor(r.Context(), from); err != nil {
		p.template = pageError
	}
	s.show(w, r, p)
}

// letIn shows somebody that he is in.
func (s *site) letIn(w http.ResponseWriter, r *http.Request, v *portal.Visitor) {
	if v.Cookie != "" {
		setCookie(w, r, cookieDevice, v.Cookie, cookieAge)
	}
	see(w, r, "/status")
}

// leave logs out. Who was not in is not told so: he wanted to be out.
func (s *site) leave(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, pageError)
	if err := s.desk.Leave(r.Context(), s.from(r, p.Lang)); err != nil && !errors.Is(err, portal.ErrNotIn) {
		s.blame(p, err)
		s.show(w, r, p)
		return
	}
	setCookie(w, r, cookieDevice, "", -1)
	see(w, r, "/goodbye")
}

// extend gives a session its whole time again.
func (s *site) extend(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, pageStatus)
	from := s.from(r, p.Lang)
	v, err := s.desk.Extend(r.Context(), from)
	if err == nil {
		s.letIn(w, r, &v)
		return
	}
	s.blame(p, err)
	if p.Visitor, err = s.desk.Visitor(r.Context(), from); err != nil || !p.Visitor.In {
		p.template = pageError
	}
	s.show(w, r, p)
}

// begin sends a browser on a way that leads elsewhere: by a page, as a form may lead
// to the portal alone.
func (s *site) begin(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, pageAway)
	to, err := s.desk.Begin(r.Context(), s.from(r, p.Lang), r.PathValue("way"))
	if err == nil && !validURL(to, "https", "http") {
		err = fmt.Errorf("a way leads to what is no URL")
	}
	if err != nil {
		p.template = pageError
		s.blame(p, err)
	}
	p.Away = to
	s.show(w, r, p)
}

// finish takes what a browser has brought from there. Who begins it is checked by the
// way: it knows which device has begun, and the state that it was given.
func (s *site) finish(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, pageError)
	q := r.URL.Query()
	state, code := q.Get("state"), q.Get("code")
	var v portal.Visitor
	var err error = portal.ErrRefused // a provider that does not let in sends no code
	if state != "" && code != "" {
		v, err = s.desk.Finish(r.Context(), s.from(r, p.Lang), r.PathValue("way"), state, code)
	}
	if err != nil {
		s.blame(p, err)
		s.show(w, r, p)
		return
	}
	s.letIn(w, r, &v)
}
