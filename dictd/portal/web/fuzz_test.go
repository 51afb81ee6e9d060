// SPDX-License-Identifier: MIT

package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzToken reads tokens; none is one that was not given.
func FuzzToken(f *testing.F) {
	key, addr, now := []byte("a key"), netip.MustParseAddr("2001:db8::1"), time.Unix(1_800_000_000, 0)
	good := token(key, addr, [formCookieLen]byte{1, 2, 3}, now)
	f.Add(good)
	f.Add("")
	f.Add(good + "A")
	f.Fuzz(func(t *testing.T, text string) {
		if cookie, ok := checkToken(key, addr, text, now); ok != (text == good) || ok && cookie != [formCookieLen]byte{1, 2, 3} {
			t.Errorf("%q: %v %v", text, cookie, ok)
		}
		readFormCookie(text)
	})
}

// FuzzAccept chooses one of the languages, whatever is said.
func FuzzAccept(f *testing.F) {
	f.Add("de-AT,de;q=0.9,*;q=0.1")
	f.Add("-;q=NaN,,;;q=")
	have := []string{"en", "de", "pt-BR"}
	f.Fuzz(func(t *testing.T, text string) {
		if got := accepted(text, have); !slices.Contains(have, got) {
			t.Errorf("%q: %q", text, got)
		}
	})
}

// FuzzRequest asks for anything, of anybody: the portal sends nobody anywhere else,
// runs nothing, and believes nobody.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/?lang=de", "portal.example", "token=x")
	f.Add("POST", "/enter", "portal.example:8443", "way=click&token=")
	f.Add("GET", "/finish/oidc?state=<script>&code=//evil.example", "portal.example", "")
	f.Add("HEAD", "/theme/..%2f", "evil.example", "")
	r := newRig(f, settings())
	f.Fuzz(func(t *testing.T, method, path, host, form string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(method+path, " \t\r\n\x00\x7f") || method == "" || !isToken(method) {
			return
		}
		if _, err := url.ParseRequestURI(base + path); err != nil {
			return
		}
		values, _ := url.ParseQuery(form)
		w := r.do(visit{method: method, url: base + path, host: host, form: values})
		if to := w.Header().Get("Location"); to != "" && to != base+"/" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, "\\")) {
			t.Errorf("sent to %q", to)
		}
		if body := w.Body.String(); strings.Contains(body, "<script") || strings.Contains(body, "evil.example") {
			t.Errorf("%s", body)
		}
		for _, what := range r.desk.changes() {
			if !strings.HasPrefix(what, "finish ") {
				t.Errorf("%s %s: %s", method, path, what)
			}
		}
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d", w.Code)
		}
	})
}

// isToken reports whether text may be a method.
func isToken(text string) bool {
	for _, c := range text {
		if c < '!' || c > '~' || strings.ContainsRune("()<>@,;:\\\"/[]?={}", c) {
			return false
		}
	}
	return true
}
