// SPDX-License-Identifier: MIT

package operator

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for _, path := range []string{"/session", "/v1/status", "/v1/events"} {
		v.want(http.StatusUnauthorized, "GET", path)
	}
	resp, _ := v.ask("GET", "/", "")
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/login" {
		t.Errorf("the page before: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	for _, c := range [][2]string{{"ada", "wrong"}, {"ada", ""}, {"nobody", passwordOf("ada")}, {"", ""}, {strings.Repeat("x", 999), "y"}} {
		resp, text := v.try(c[0], c[1])
		if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "Name or password is wrong") || len(resp.Cookies()) > 0 {
			t.Errorf("%q: %d", c, resp.StatusCode)
		}
	}
	resp, _ = v.try("ada", passwordOf("ada"))
	if cookies := resp.Cookies(); len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Path != "/" {
		t.Fatalf("cookies %v", cookies)
	}
	v = r.visitor().login("ada")
	if text := v.want(200, "GET", "/v1/status"); text != "write GET /v1/status" {
		t.Error(text)
	}
	if text := r.visitor().login("bob").want(200, "GET", "/v1/status"); text != "read GET /v1/status" {
		t.Error(text)
	}
	v.want(http.StatusUnauthorized, "POST", "/logout", "X-Key", "")
	v.want(http.StatusNoContent, "POST", "/logout")
	v.want(http.StatusUnauthorized, "GET", "/v1/status")
	log := r.log.String()
	if strings.Contains(log, "password of") || strings.Contains(log, "nobody") || !strings.Contains(log, "operator=ada") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestSessionEnds(t *testing.T) {
	r := newRig(t)
	v := r.visitor().login("ada")
	r.now.pass(9 * time.Minute)
	v.want(200, "GET", "/v1/status") // a person's
	r.now.pass(9 * time.Minute)
	v.want(200, "GET", "/v1/status", "X-Poll", "1") // the page's own
	r.now.pass(2 * time.Minute)
	v.want(http.StatusUnauthorized, "GET", "/v1/status")

	v = r.visitor().login("ada")
	for range 7 {
		r.now.pass(8 * time.Minute)
		v.want(200, "GET", "/v1/status")
	}
	r.now.pass(8 * time.Minute) // it is an hour old
	v.want(http.StatusUnauthorized, "GET", "/v1/status")

	// Who is not in the file any more, or may not do what he could, is out, and what he
	// follows ends.
	v = r.visitor().login("ada")
	bob := r.visitor().login("bob")
	stream, err := v.Get(r.url + "/v1/events?key=" + v.key)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	all, err := Read(r.file)
	if err != nil {
		t.Fatal(err)
	}
	all[0].Write = false
	r.write(all...)
	v.want(http.StatusUnauthorized, "GET", "/v1/status")
	bob.want(200, "GET", "/v1/status")
	for buf := make([]byte, 64); err == nil; {
		_, err = stream.Body.Read(buf) // ends with the stream, or the test hangs
	}
	// There is an end to how many there are.
	for range 2 * maxSessions {
		r.sessions.begin(all[1])
	}
	if n := len(r.sessions.all); n != maxSessions {
		t.Errorf("%d sessions", n)
	}
}

func TestForged(t *testing.T) {
	r := newRig(t)
	v := r.visitor().login("ada")
	put := "PUT"
	// Who has the cookie alone, which browsers send to other ports of the host, has nothing.
	other := r.visitor().login("bob")
	for _, key := range []string{"", "x", other.key} {
		v.want(http.StatusUnauthorized, put, "/v1/users/bob", "X-Key", key)
		v.want(http.StatusUnauthorized, "GET", "/v1/status", "X-Key", key)
		v.want(http.StatusUnauthorized, "GET", "/session", "X-Key", key)
		v.want(http.StatusUnauthorized, "GET", "/v1/events?key="+key, "X-Key", "")
		v.want(http.StatusUnauthorized, "GET", "/v1/status?key="+v.key, "X-Key", "")
		v.want(200, "GET", "/", "X-Key", key)
	}
	v.want(http.StatusForbidden, put, "/v1/users/bob", "Origin", "http://evil.example")
	v.want(http.StatusForbidden, put, "/v1/users/bob", "Sec-Fetch-Site", "cross-site")
	v.want(http.StatusForbidden, put, "/v1/users/bob", "Sec-Fetch-Site", "same-site")
	for _, path := range []string{"/v1/status", "/session"} {
		for _, site := range []string{"cross-site", "same-site"} {
			if resp, text := v.ask("GET", path, "", "Sec-Fetch-Site", site); resp.StatusCode < 400 {
				t.Errorf("%s from %s: %s", path, site, text)
			}
		}
	}
	if text := v.want(200, put, "/v1/users/bob", "Origin", r.url, "Sec-Fetch-Site", "same-origin"); text != "write PUT /v1/users/bob" {
		t.Error(text)
	}
	// Another site cannot log a browser in.
	if resp, _ := r.visitor().try("ada", passwordOf("ada"), "Origin", "http://evil.example"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a login from another site: %d", resp.StatusCode)
	}
	// A name that somebody has pointed here is not this page's.
	for _, host := range []string{"evil.example", "evil.example:8790", "localhost.evil.example", "127.0.0.1.evil.example", ""} {
		if host != "" {
			v.want(http.StatusMisdirectedRequest, "GET", "/login", "Host", host)
		}
	}
	for _, host := range []string{"localhost", "localhost:8790", "[::1]:8790", "192.0.2.1"} {
		v.want(200, "GET", "/login", "Host", host)
	}
	for _, path := range []string{"/index.html", "/login.html", "/../server.go", "/.", "/web/style.css"} {
		if resp, _ := v.ask("GET", path, ""); resp.StatusCode == 200 {
			t.Errorf("%s is served", path)
		}
	}
}

func TestHeaders(t *testing.T) {
	v := newRig(t).visitor().login("ada")
	for _, path := range []string{"/", "/login", "/style.css", "/v1/status", "/session", "/nothing"} {
		resp, _ := v.ask("GET", path, "")
		h := resp.Header
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s: %q", path, name, h.Get(name))
			}
		}
		if cache := h.Get("Cache-Control"); (path == "/v1/status" || path == "/session" || path == "/login") && cache != "no-store" {
			t.Errorf("%s: Cache-Control: %q", path, cache)
		}
	}
	first, _ := v.ask("GET", "/style.css", "")
	v.want(http.StatusNotModified, "GET", "/style.css", "If-None-Match", first.Header.Get("ETag"))
}

func TestAttemptsAreLimited(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for i := range burstOfAddress {
		if resp, _ := v.try("ada", "wrong"); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i, resp.StatusCode)
		}
	}
	resp, text := v.try("ada", passwordOf("ada"))
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" || !strings.Contains(text, "Too many attempts") {
		t.Errorf("one too many: %d", resp.StatusCode)
	}
	r.now.pass(paceOfAddress)
	if resp, _ := v.try("ada", passwordOf("ada")); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("later: %d", resp.StatusCode)
	}
}
