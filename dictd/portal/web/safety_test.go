// SPDX-License-Identifier: MIT

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/portal"
)

// TestForms sends forms that are the portal's own, and those that are not: only the
// first change anything.
func TestForms(t *testing.T) {
	r := newRig(t, settings())
	token, cookie := r.formOf(t)
	_, another := r.formOf(t)
	own := http.Header{"Cookie": {cookie}, "Origin": {base}, "Sec-Fetch-Site": {"same-origin"}}
	with := func(name, value string) http.Header {
		h := own.Clone()
		h.Del(name)
		if value != "" {
			h.Set(name, value)
		}
		return h
	}
	without := func(names ...string) http.Header {
		h := own.Clone()
		for _, n := range names {
			h.Del(n)
		}
		return h
	}
	old := newRig(t, settings())
	old.stand(time.Now().Add(-formLife))
	stale, _ := old.formOf(t)
	other := settings()
	other.Key = []byte("another key, as another daemon's")
	foreign, _ := newRig(t, other).formOf(t)
	for _, tt := range []struct {
		name   string
		header http.Header
		token  string
		addr   string
		ok     bool
	}{
		{"its own", own, token, "", true},
		{"a browser that says nothing", without("Origin", "Sec-Fetch-Site"), token, "", true},
		{"no cookies, but it says from where", without("Cookie"), token, "", true},
		{"no cookies, an origin", without("Cookie", "Sec-Fetch-Site"), token, "", true},
		{"an origin that is hidden", with("Origin", "null"), token, "", true},
		{"no cookies, nothing said", without("Cookie", "Origin", "Sec-Fetch-Site"), token, "", false},
		{"from another site", with("Sec-Fetch-Site", "cross-site"), token, "", false},
		{"from a neighbour of the name", with("Sec-Fetch-Site", "same-site"), token, "", false},
		{"from a link", with("Sec-Fetch-Site", "none"), token, "", false},
		{"another origin", with("Origin", "https://evil.example"), token, "", false},
		{"another scheme", with("Origin", "http://portal.example:8443"), token, "", false},
		{"another port", with("Origin", "https://portal.example"), token, "", false},
		{"a hidden origin, nothing else", http.Header{"Cookie": {cookie}, "Origin": {"null"}}, token, "", false},
		{"another browser", with("Cookie", another), token, "", false},
		{"nonsense for a cookie", with("Cookie", "__Host-dictd-portal-form=x"), token, "", false},
		{"another address", own, token, "192.0.2.8:50000", false},
		{"no token", own, "", "", false},
		{"half a token", own, token[:40], "", false},
		{"a longer token", own, token + "AAAA", "", false},
		{"a token changed", own, "B" + token[1:], "", false},
		{"a token too old", http.Header{"Sec-Fetch-Site": {"same-origin"}}, stale, "", false},
		{"another key", http.Header{"Sec-Fetch-Site": {"same-origin"}}, foreign, "", false},
	} {
		for path, what := range map[string]string{"/enter": "enter", "/leave": "leave", "/extend": "extend", "/begin/oidc": "begin oidc"} {
			r.desk.away = "https://provider.example/"
			w := r.do(visit{method: http.MethodPost, url: base + path, header: tt.header, addr: tt.addr, form: url.Values{"token": {tt.token}, "way": {"click"}}})
			got := r.desk.changes()
			if tt.ok != slices.Equal(got, []string{what}) || !tt.ok && (got != nil || w.Code != http.StatusForbidden) {
				t.Errorf("%s, %s: %d, %v", tt.name, path, w.Code, got)
			}
			if !tt.ok && !strings.Contains(w.Body.String(), "once more") {
				t.Errorf("%s: not told:\n%s", tt.name, w.Body)
			}
		}
	}
	// Nothing changes by a link.
	for _, path := range []string{"/enter", "/leave", "/extend", "/begin/oidc"} {
		w := r.do(visit{url: base + path + "?way=click&token=" + token, header: own})
		if got := r.desk.changes(); got != nil || w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d %v", path, w.Code, got)
		}
	}
	// A token in the URL is none of the form.
	if w := r.do(visit{method: http.MethodPost, url: base + "/leave?token=" + token, header: own, form: url.Values{"a": {"b"}}}); w.Code != http.StatusForbidden {
		t.Errorf("a token in the URL: %d", w.Code)
	}
}

// TestBodies sends bodies that are no forms, or too long.
func TestBodies(t *testing.T) {
	r := newRig(t, settings())
	token, cookie := r.formOf(t)
	for _, tt := range []struct {
		kind string
		form url.Values
		want int
	}{
		{"application/json", url.Values{"token": {token}}, http.StatusUnsupportedMediaType},
		{"text/plain", url.Values{"token": {token}}, http.StatusUnsupportedMediaType},
		{"multipart/form-data; boundary=x", url.Values{"token": {token}}, http.StatusUnsupportedMediaType},
		{"", url.Values{"token": {token}}, http.StatusUnsupportedMediaType},
		{"application/x-www-form-urlencoded", url.Values{"token": {token}, "secret": {strings.Repeat("x", maxBody)}}, http.StatusRequestEntityTooLarge},
	} {
		w := r.do(visit{method: http.MethodPost, url: base + "/enter", form: tt.form, header: http.Header{"Cookie": {cookie}, "Content-Type": {tt.kind}}})
		if w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.kind, w.Code, tt.want)
		}
	}
	if got := r.desk.changes(); got != nil {
		t.Errorf("%v", got)
	}
}

// TestHosts asks by names that are the portal's, and those that are not: these are
// sent to it, and nothing of what they said comes back.
func TestHosts(t *testing.T) {
	named, address, plain, plainAddress := settings(), settings(), settings(), settings()
	address.Name = ""
	plain.HTTPS, plain.Known = 0, false
	plainAddress.HTTPS, plainAddress.Name = 0, ""
	for _, tt := range []struct {
		name string
		set  Settings
		url  string // where the pages are
		ours []string
	}{
		{"named", named, base, []string{"portal.example", "portal.example:8443", "PORTAL.example", "portal.example.:8443", "portal.example:1"}},
		{"by address", address, "https://192.0.2.1:8443", []string{"192.0.2.1", "192.0.2.1:8443"}},
		{"without TLS", plain, "http://portal.example:8880", []string{"portal.example"}},
		{"without TLS or a name", plainAddress, "http://192.0.2.1:8880", []string{"192.0.2.1:8880"}},
	} {
		r := newRig(t, tt.set)
		scheme, _, _ := strings.Cut(tt.url, ":")
		for _, host := range tt.ours {
			if w := r.do(visit{url: scheme + "://x/terms", host: host}); w.Code != http.StatusOK {
				t.Errorf("%s: %s: %d", tt.name, host, w.Code)
			}
		}
		for _, host := range []string{
			"evil.example", "portal.example.evil.example", "evil.example:8443", "192.0.2.2", "[2001:db8::1]", "a\"><script>", "portal.example@evil.example",
			"portal.example:8443:1", "portal.example:x", "portal.example/..", "x", "portal.example:", ":8443",
		} {
			w := r.do(visit{url: scheme + "://x/a?b=evil&url=http://evil.example/%0d%0aX:y", host: host})
			to, body := w.Header().Get("Location"), w.Body.String()
			if w.Code != http.StatusFound || to != tt.url+"/" || w.Header().Get("Connection") != "close" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %s: %d to %q %v", tt.name, host, w.Code, to, w.Header())
			}
			if strings.Contains(body, "evil") || strings.Contains(body, "script") || len(body) > 200 {
				t.Errorf("%s: %s: said back:\n%s", tt.name, host, body)
			}
		}
	}
	// IPv6, by the address of the connection alone; the portal's own name without TLS is
	// sent on.
	r := newRig(t, named)
	if w := r.do(visit{url: "http://portal.example:8880/api"}); w.Code != http.StatusFound || w.Header().Get("Location") != base+"/" {
		t.Errorf("without TLS: %d %v", w.Code, w.Header())
	}
	six := here{"[2001:db8::1]", ""}
	for host, want := range map[string]bool{"[2001:db8::1]": true, "[2001:DB8::1]:8443": true, "2001:db8::1": false, "[2001:db8::2]": false, "[2001:db8::1]x": false} {
		if six.is(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

// TestProbes asks as operating systems do to learn whether they are captive.
func TestProbes(t *testing.T) {
	r := newRig(t, settings())
	for name, probe := range map[string]string{
		"Apple":              "http://captive.apple.com/hotspot-detect.html",
		"Apple, older":       "http://www.apple.com/library/test/success.html",
		"Android, ChromeOS":  "http://connectivitycheck.gstatic.com/generate_204",
		"Android, otherwise": "http://www.google.com/gen_204",
		"Chromium":           "http://clients3.google.com/generate_204",
		"Windows":            "http://www.msftconnecttest.com/connecttest.txt",
		"Windows, older":     "http://www.msftncsi.com/ncsi.txt",
		"Windows, browser":   "http://www.msftconnecttest.com/redirect",
		"Firefox":            "http://detectportal.firefox.com/canonical.html",
		"Firefox, IPv6":      "http://detectportal.firefox.com/success.txt?ipv6",
		"NetworkManager":     "http://nmcheck.gnome.org/check_network_status.txt",
		"Debian":             "http://network-test.debian.org/nm",
		"Ubuntu":             "http://connectivity-check.ubuntu.com/",
		"Fedora":             "http://fedoraproject.org/static/hotspot.txt",
		"KDE":                "http://networkcheck.kde.org/",
		"Amazon":             "http://spectrum.s3.amazonaws.com/kindle-wifi/wifistub.html",
		"an address":         "http://198.51.100.1/",
		"an address of IPv6": "http://[2001:db8::1]/",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
			w := r.do(visit{method: method, url: probe})
			if w.Code != http.StatusFound || w.Header().Get("Location") != base+"/" {
				t.Errorf("%s, %s: %d %v", name, method, w.Code, w.Header())
			}
		}
	}
}

// TestHeaders are on every answer of the pages.
func TestHeaders(t *testing.T) {
	r := newRig(t, settings())
	unknown := settings()
	unknown.Known = false
	for _, path := range []string{"/", "/status", "/terms", "/goodbye", "/api", "/theme/style.css", "/nothing", "/finish/oidc"} {
		h := r.do(visit{url: base + path}).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=86400",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s: %q", path, name, h.Get(name))
			}
		}
		if c := h.Get("Cache-Control"); !strings.Contains(c, "no-store") && path != "/theme/style.css" {
			t.Errorf("%s: Cache-Control %q", path, c)
		}
		if h := newRig(t, unknown).do(visit{url: base + path}).Header(); h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: HSTS for a name that is not known", path)
		}
	}
	for _, script := range []string{"unsafe", "script-src", "http:", "*"} {
		if strings.Contains(policy, script) {
			t.Errorf("the policy allows %s", script)
		}
	}
}

// TestCookies are for this host alone, and no script's.
func TestCookies(t *testing.T) {
	r := newRig(t, settings())
	r.desk.visitor.Cookie = "a-cookie"
	w := r.post(t, "/enter", "way", "click")
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%v", cookies)
	}
	c := cookies[0]
	if c.Name != "__Host-dictd-portal-device" || c.Value != "a-cookie" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != cookieAge {
		t.Errorf("%+v", c)
	}
	r.do(visit{url: base + "/status", header: http.Header{"Cookie": {"__Host-dictd-portal-device=a-cookie; dictd-portal-device=other"}}})
	if r.desk.from.Cookie != "a-cookie" || r.desk.from.Addr != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("%+v", r.desk.from)
	}
	r.do(visit{url: base + "/status", header: http.Header{"Cookie": {"__Host-dictd-portal-device=" + strings.Repeat("x", maxCookie+1)}}})
	if r.desk.from.Cookie != "" {
		t.Error("a cookie that is too long")
	}
	w = r.post(t, "/leave")
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != "__Host-dictd-portal-device" || c[0].MaxAge >= 0 {
		t.Errorf("%v", c)
	}
	plain := settings()
	plain.HTTPS = 0
	w = newRig(t, plain).do(visit{url: "http://portal.example:8880/"})
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != cookieForm || c[0].Secure || !c[0].HttpOnly {
		t.Errorf("without TLS: %v", c)
	}
}

// TestInjection gives what would be markup, a header or a template elsewhere.
func TestInjection(t *testing.T) {
	r := newRig(t, settings())
	evil := "\"><script>alert(1)</script>{{.Token}}\r\nX-Evil: 1"
	r.desk.err = portal.ErrWrong
	w := r.post(t, "/enter", "way", "account", "name", evil, "secret", "topsecret"+evil)
	body := w.Body.String()
	if strings.Contains(body, "<script") || strings.Contains(body, "topsecret") || w.Header().Get("X-Evil") != "" {
		t.Errorf("%v\n%s", w.Header(), body)
	}
	if !strings.Contains(body, "{{.Token}}") {
		t.Error("the name is not there again")
	}
	if r.desk.given.Secret != "topsecret"+evil || r.desk.given.Name != evil {
		t.Errorf("%+v", r.desk.given)
	}
	w = r.post(t, "/enter", "way", evil, "name", "\xff\xfe"+evil)
	if strings.Contains(w.Body.String(), "<script") {
		t.Errorf("%s", w.Body)
	}
	r.desk.err = nil
	r.desk.visitor = portal.Visitor{In: true, User: evil, Way: portal.OIDC, Device: evil}
	if body := r.do(visit{url: base + "/status"}).Body.String(); strings.Contains(body, "<script") {
		t.Errorf("%s", body)
	}
	r.desk.visitor = portal.Visitor{Ways: []string{evil}}
	if body := r.do(visit{url: base + "/"}).Body.String(); strings.Contains(body, "<script") {
		t.Errorf("%s", body)
	}
	for _, to := range []string{"javascript:alert(1)", "//evil.example", "/status", "data:text/html,x", "https://a:b@evil.example/"} {
		r.desk.visitor, r.desk.away = portal.Visitor{Ways: everyWay}, to
		if w := r.post(t, "/begin/oidc"); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), to+"\"") && to != "/status" {
			t.Errorf("%s: %d\n%s", to, w.Code, w.Body)
		}
	}
	if strings.Contains(r.log.String(), "topsecret") {
		t.Errorf("a secret in the log:\n%s", r.log)
	}
}

// TestRefusals tells each in words and by a status.
func TestRefusals(t *testing.T) {
	r := newRig(t, settings())
	for _, tt := range []struct {
		err    error
		status int
		want   string
	}{
		{portal.ErrWrong, 403, "not correct"},
		{portal.ErrExpired, 403, "expired"},
		{portal.ErrRevoked, 403, "withdrawn"},
		{portal.ErrUsedUp, 403, "used up"},
		{portal.ErrTooManyDevices, 403, "Too many devices"},
		{portal.ErrUnreachable, 503, "does not answer"},
		{portal.ErrUnknownDevice, 403, "not known"},
		{fmt.Errorf("slow: %w", &portal.Refusal{Code: portal.CodeTooFast, After: 1500 * time.Millisecond}), 429, "in 2 seconds"},
		{portal.ErrRefused, 403, "refused"},
		{portal.ErrNoWay, 403, "does not exist here"},
		{&portal.Refusal{Code: "tomorrow's"}, 403, "cannot answer"},
		{errors.New("/var/lib/dictd/portal.db: broken"), 503, "cannot answer"},
	} {
		r.desk.err = tt.err
		w := r.post(t, "/enter", "way", "voucher", "secret", "x")
		body := w.Body.String()
		if w.Code != tt.status || !strings.Contains(body, tt.want) || strings.Contains(body, "portal.db") || !strings.Contains(body, "<title>Error: ") {
			t.Errorf("%v: %d\n%s", tt.err, w.Code, body)
		}
		if retry := w.Header().Get("Retry-After"); (retry == "2") != (tt.status == 429) {
			t.Errorf("%v: Retry-After %q", tt.err, retry)
		}
		if !strings.Contains(body, `aria-invalid="true" aria-describedby="problem" autofocus`) {
			t.Errorf("%v: nobody is led to the field", tt.err)
		}
		if at, field := strings.Index(body, `id="problem"`), strings.Index(body, `id="code"`); strings.Count(body, `id="problem"`) != 1 || field-at > 400 || field < at {
			t.Errorf("%v: the problem is at %d, the field at %d", tt.err, at, field)
		}
	}
}

// TestWays goes through the pages as visitors do.
func TestWays(t *testing.T) {
	r := newRig(t, settings())
	see := func(w interface{ Result() *http.Response }, want string) {
		t.Helper()
		if got := w.Result(); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != want {
			t.Errorf("%s to %q, want %q", got.Status, got.Header.Get("Location"), want)
		}
	}
	see(r.do(visit{url: base + "/status"}), "/")
	see(r.post(t, "/enter", "way", "account", "name", " anna ", "secret", " x "), "/status")
	if want := (portal.Credentials{Way: "account", Name: "anna", Secret: " x "}); r.desk.given != want {
		t.Errorf("%+v", r.desk.given)
	}
	r.desk.away = "https://provider.example/authorize?a=b&c=d"
	w := r.post(t, "/begin/oidc")
	if body := w.Body.String(); w.Code != 200 || strings.Count(body, "https://provider.example/authorize?a=b&amp;c=d") != 2 || !strings.Contains(body, `http-equiv="refresh"`) {
		t.Errorf("%d\n%s", w.Code, body)
	}
	r.desk.changes()
	see(r.do(visit{url: base + "/finish/oidc?state=s&code=c"}), "/status")
	if got := r.desk.changes(); !slices.Equal(got, []string{"finish oidc s c"}) {
		t.Errorf("%v", got)
	}
	if w := r.do(visit{url: base + "/finish/oidc?error=access_denied&state=s"}); w.Code != 403 || r.desk.changes() != nil {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	left := int64(12_345_678)
	token, cookie := r.formOf(t)
	r.desk.visitor = portal.Visitor{In: true, User: "anna", Way: portal.Account, Until: time.Now().Add(90 * time.Minute), BytesLeft: &left, CanExtend: true, Device: "02:00:00:00:00:01", Idle: 600}
	see(r.do(visit{url: base + "/"}), "/status")
	body := r.do(visit{url: base + "/status"}).Body.String()
	for _, want := range []string{"anna", "1\u00a0h 29\u00a0min", "12.3\u00a0MB", "02:00:00:00:00:01", "10\u00a0min", `action="/extend"`, `action="/leave"`, base + "/"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	send := func(path string) *http.Response {
		return r.do(visit{method: http.MethodPost, url: base + path, form: url.Values{"token": {token}}, header: http.Header{"Cookie": {cookie}}}).Result()
	}
	if got := send("/extend"); got.Header.Get("Location") != "/status" {
		t.Errorf("extended: %v", got)
	}
	r.desk.err = portal.ErrCannotExtend
	if got := send("/extend"); got.StatusCode != 403 {
		t.Errorf("not extended: %v", got)
	}
	r.desk.err = portal.ErrNotIn // gone meanwhile
	if got := send("/leave"); got.Header.Get("Location") != "/goodbye" {
		t.Errorf("left: %v", got)
	}
	if body := r.do(visit{url: base + "/goodbye"}).Body.String(); !strings.Contains(body, "signed out") {
		t.Errorf("%s", body)
	}
}
