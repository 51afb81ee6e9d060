// SPDX-License-Identifier: MIT

package web

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/dictd/portal"
)

// fake is a desk that answers as it is told.
type fake struct {
	mu      sync.Mutex
	visitor portal.Visitor
	err     error // of all but Visitor
	away    string
	asked   []string
	from    portal.From
	given   portal.Credentials
}

func (f *fake) ask(what string, from portal.From) (portal.Visitor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, what)
	f.from = from
	if what == "visitor" {
		return f.visitor, nil
	}
	return f.visitor, f.err
}

func (f *fake) Visitor(_ context.Context, from portal.From) (portal.Visitor, error) {
	return f.ask("visitor", from)
}

func (f *fake) Enter(_ context.Context, from portal.From, c portal.Credentials) (portal.Visitor, error) {
	f.mu.Lock()
	f.given = c
	f.mu.Unlock()
	return f.ask("enter", from)
}

func (f *fake) Leave(_ context.Context, from portal.From) error {
	_, err := f.ask("leave", from)
	return err
}

func (f *fake) Extend(_ context.Context, from portal.From) (portal.Visitor, error) {
	return f.ask("extend", from)
}

func (f *fake) Begin(_ context.Context, from portal.From, way string) (string, error) {
	_, err := f.ask("begin "+way, from)
	return f.away, err
}

func (f *fake) Finish(_ context.Context, from portal.From, way, state, code string) (portal.Visitor, error) {
	return f.ask("finish "+way+" "+state+" "+code, from)
}

// changes returns what was asked for that changes something.
func (f *fake) changes() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, what := range f.asked {
		if what != "visitor" {
			all = append(all, what)
		}
	}
	f.asked = nil
	return all
}

// every way that there is.
var everyWay = []string{portal.Click, portal.Account, portal.Voucher, portal.RADIUS, portal.OIDC}

// rig is a server, asked without a network.
type rig struct {
	*Server
	desk *fake
	log  *strings.Builder
}

// settings are those of a portal with a certificate.
func settings() Settings {
	return Settings{
		Name: "portal.example", HTTP: 8880, HTTPS: 8443, Known: true, VenueName: "Café <Zentral>", VenueURL: "https://venue.example/",
		Key: []byte("0123456789abcdef0123456789abcdef"),
	}
}

func newRig(t testing.TB, set Settings) *rig {
	t.Helper()
	r := &rig{desk: &fake{visitor: portal.Visitor{Ways: everyWay}}, log: new(strings.Builder)}
	var err error
	if r.Server, err = New(set, r.desk, slog.New(slog.NewTextHandler(r.log, nil))); err != nil {
		t.Fatal(err)
	}
	return r
}

// visit is one request.
type visit struct {
	method, url string
	host        string // "": that of the URL
	header      http.Header
	form        url.Values
	addr        string // of the client
}

// do asks. The scheme of the URL says at which port.
func (r *rig) do(v visit) *httptest.ResponseRecorder {
	method := v.method
	if method == "" {
		method = http.MethodGet
	}
	req := httptest.NewRequest(method, v.url, strings.NewReader(v.form.Encode()))
	if v.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range v.header {
		req.Header[name] = values
	}
	if v.host != "" {
		req.Host = v.host
	}
	req.RemoteAddr = "192.0.2.7:50000"
	if v.addr != "" {
		req.RemoteAddr = v.addr
	}
	if strings.HasPrefix(v.url, "https:") {
		req.TLS = &tls.ConnectionState{}
	} else {
		req.TLS = nil
	}
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:8443"))
	req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, local))
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

const base = "https://portal.example:8443"

var tokenField = regexp.MustCompile(`name="token" value="([^"]*)"`)

// formOf gets the page with forms, and returns its token and cookie.
func (r *rig) formOf(t *testing.T) (token, cookie string) {
	t.Helper()
	w := r.do(visit{url: base + "/"})
	found := tokenField.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil {
		t.Fatalf("%d:\n%s", w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-dictd-portal-form" {
			return found[1], c.Name + "=" + c.Value
		}
	}
	t.Fatal("no cookie")
	return "", ""
}

// post sends a form of the portal's as a browser does.
func (r *rig) post(t *testing.T, path string, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	token, cookie := r.formOf(t)
	form := url.Values{"token": {token}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return r.do(visit{method: http.MethodPost, url: base + path, form: form, header: http.Header{
		"Cookie": {cookie}, "Origin": {base}, "Sec-Fetch-Site": {"same-origin"},
	}})
}

// site is the one in use, with a clock that stands.
func (r *rig) stand(now time.Time) {
	s := r.site.Load()
	s.now = func() time.Time { return now }
}
