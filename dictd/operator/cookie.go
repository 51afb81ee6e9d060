// SPDX-License-Identifier: MIT

package operator

import (
	"iter"
	"net"
	"net/http"
	"strconv"
)

// cookieName is the cookie's, as the browser sees the page: with TLS it is bound to this
// very host. The page of another gateway behind another port of the same host, as over
// ssh, has another.
func (s *Server) cookieName(r *http.Request) string {
	name := "dictd-operator"
	if s.cert != nil {
		name = "__Host-" + name
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			name += "-" + strconv.FormatUint(n, 10)
		}
	}
	return name
}

// setCookie gives the browser a cookie; "" takes it away.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, value string) {
	c := &http.Cookie{Name: s.cookieName(r), Value: value, Path: "/", Secure: s.cert != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// maxCookies bounds how many of the name are looked at: without TLS others can have set
// some.
const maxCookies = 8

// shown yields the sessions whose cookie a request has, of operators who are still what
// they were.
func (s *Server) shown(r *http.Request) iter.Seq[*session] {
	return func(yield func(*session) bool) {
		for i, c := range r.CookiesNamed(s.cookieName(r)) {
			if i >= maxCookies {
				return
			}
			if one := s.sessions.find(c.Value); one != nil && s.still(&one.who) && !yield(one) {
				return
			}
		}
	}
}

// session returns the session of a request, which has its cookie and its key; nil if
// nobody has logged in, or another site asks. A request that the page makes by itself,
// with the header X-Poll, keeps no session alive.
func (s *Server) session(r *http.Request) *session {
	key := r.Header.Get("X-Key")
	if r.URL.Path == pathEvents && key == "" {
		key = r.URL.Query().Get(queryKey)
	}
	for one := range s.shown(r) {
		if !one.opens(key) {
			continue
		}
		if r.Header.Get("X-Poll") == "" && r.URL.Path != pathEvents {
			s.sessions.touch(one)
		}
		return one
	}
	return nil
}

// Streams of events bring the key in their query: browsers give them no headers.
const (
	pathEvents = "/v1/events"
	queryKey   = "key"
)

// withoutKey takes the key out of the query of a request.
func withoutKey(r *http.Request) *http.Request {
	q := r.URL.Query()
	if !q.Has(queryKey) {
		return r
	}
	q.Del(queryKey)
	r, u := r.WithContext(r.Context()), *r.URL
	u.RawQuery = q.Encode()
	r.URL = &u
	return r
}
