// SPDX-License-Identifier: MIT

package web

import (
	"bytes"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"nftdict/dictd/portal"
)

// maxBody is how long a form may be, in bytes.
const maxBody = 4 << 10

// site answers requests by one state of the settings.
type site struct {
	Settings
	look *look
	desk portal.Desk
	log  *slog.Logger
	now  func() time.Time
	mux  *http.ServeMux
}

// newSite returns a site. Errors are about the settings.
func newSite(set Settings, desk portal.Desk, log *slog.Logger, now func() time.Time) (*site, error) {
	if err := set.Check(); err != nil {
		return nil, err
	}
	look, err := newLook(set.Theme, set.Languages)
	if err != nil {
		return nil, err
	}
	s := &site{Settings: set, look: look, desk: desk, log: log, now: now, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /{$}", s.welcome)
	s.mux.HandleFunc("GET /status", s.status)
	s.mux.HandleFunc("GET /terms", s.terms)
	s.mux.HandleFunc("GET /goodbye", s.goodbye)
	s.mux.HandleFunc("GET /theme/{name}", s.file)
	s.mux.HandleFunc("GET /api", s.api)
	s.mux.HandleFunc("GET /finish/{way}", s.finish)
	s.mux.HandleFunc("POST /enter", s.form(s.enter))
	s.mux.HandleFunc("POST /leave", s.form(s.leave))
	s.mux.HandleFunc("POST /extend", s.form(s.extend))
	s.mux.HandleFunc("POST /begin/{way}", s.form(s.begin))
	s.mux.HandleFunc("/", s.missing)
	return s, nil
}

// ServeHTTP implements http.Handler. Whoever has asked for somebody else is sent to
// the portal, and so is who came without TLS where there is any.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.HTTPS != 0 && r.TLS == nil || !s.hereOf(r).is(r.Host) {
		s.redirect(w, r)
		return
	}
	s.protect(w, r)
	s.mux.ServeHTTP(w, r)
}

// api answers RFC 8908, which wants TLS.
func (s *site) api(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil {
		s.missing(w, r)
		return
	}
	s.captive(w, r)
}

// from says who asks.
func (s *site) from(r *http.Request, lang string) portal.From {
	f := portal.From{Addr: remoteAddr(r), Cookie: cookie(r, cookieDevice), Language: lang}
	if len(f.Cookie) > maxCookie {
		f.Cookie = ""
	}
	return f
}

// maxCookie is how long a Visitor.Cookie may be, in bytes.
const maxCookie = 256

// page begins an answer.
func (s *site) page(r *http.Request, template string) *Page {
	lang := choose(r, s.look.languages)
	p := &Page{
		Lang: lang, texts: s.look.texts[lang], template: template, now: s.now(), Path: "/", Base: s.hereOf(r).base,
		Venue: s.VenueName, VenueURL: s.VenueURL, Continue: s.Continue,
	}
	switch r.URL.Path {
	case "/status", "/terms", "/goodbye":
		p.Path = r.URL.Path
	}
	s.look.dress(p)
	return p
}

// show ends an answer.
func (s *site) show(w http.ResponseWriter, r *http.Request, p *Page) {
	if r.URL.Query().Get("lang") == p.Lang {
		setCookie(w, r, cookieLanguage, p.Lang, cookieAge)
	}
	raw, ok := readFormCookie(cookie(r, cookieForm))
	if !ok {
		value := newFormCookie()
		raw, _ = readFormCookie(value)
		setCookie(w, r, cookieForm, value, 0)
	}
	p.Token = token(s.Key, remoteAddr(r), raw, p.now)
	var body bytes.Buffer
	if err := s.look.show(&body, p); err != nil { // every page was tried: it is about its values
		s.log.Error("cannot show a page", "err", err)
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang)
	w.Header().Set("Vary", "Accept-Language, Cookie")
	if p.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.after+time.Second-1)/time.Second)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(statusOf(p.Problem))
	_, _ = w.Write(body.Bytes()) // it may be gone
}

// statusOf is the status of an answer that tells of a problem.
func statusOf(problem string) int {
	switch problem {
	case "":
		return http.StatusOK
	case problemNotFound:
		return http.StatusNotFound
	case string(portal.CodeTooFast):
		return http.StatusTooManyRequests
	case string(portal.CodeUnreachable), problemFailed:
		return http.StatusServiceUnavailable
	}
	return http.StatusForbidden
}

// blame puts what has gone wrong on a page. What is no answer for the visitor goes
// into the log.
func (s *site) blame(p *Page, err error) {
	var refusal *portal.Refusal
	if errors.As(err, &refusal) {
		p.Problem, p.after = string(refusal.Code), refusal.After
		return
	}
	s.log.Warn("the portal does not answer", "err", err)
	p.Problem = problemFailed
}

// missing answers where there is nothing.
func (s *site) missing(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, pageError)
	p.Problem = problemNotFound
	s.show(w, r, p)
}

// see leads a browser to another page of the portal.
func see(w http.ResponseWriter, r *http.Request, page string) {
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// file answers with a file of the theme. Its URL changes with a stylesheet.
func (s *site) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	file, ok := s.look.files[name]
	if !ok {
		s.missing(w, r)
		return
	}
	w.Header().Set("Content-Type", mediaTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Content-Length", strconv.Itoa(len(file)))
	_, _ = w.Write(file) // it may be gone
}

// form calls a handler for a form that is the portal's own and as large as it may be.
func (s *site) form(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/x-www-form-urlencoded" {
			http.Error(w, "send a form", http.StatusUnsupportedMediaType)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := r.ParseForm(); err != nil {
			w.Header().Set("Connection", "close")
			status := http.StatusBadRequest
			if _, long := errors.AsType[*http.MaxBytesError](err); long {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, "not understood", status)
			return
		}
		if !s.mayChange(r, r.PostForm.Get("token"), s.now()) {
			s.again(w, r, problemForm)
			return
		}
		handle(w, r)
	}
}

// field returns a field of a form as it is to be judged: without what is no text.
func field(r *http.Request, name string) string {
	return strings.ToValidUTF8(r.PostForm.Get(name), "")
}
