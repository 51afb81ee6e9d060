// SPDX-License-Identifier: MIT

package oidc

import (
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"testing"
	"time"

	"nftdict/dictd/portal"
	"nftdict/internal/lab/openid"
)

// back is where the provider sends browsers to.
const back = "https://portal.example/finish/oidc"

// provider is a real one, by another implementation.
type provider struct {
	*httptest.Server
	handler http.Handler
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	p := new(provider)
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }))
	t.Cleanup(p.Close)
	var err error
	if p.handler, err = openid.New(p.URL+"/", back, t.TempDir(), openid.User{Name: "ann", Password: "secret", Mail: "ann@example.org", Verified: true},
		openid.User{Name: "bob", Password: "secret", Mail: "bob@elsewhere.example", Verified: true}, openid.User{Name: "eve", Password: "secret", Mail: "ann@example.org"}); err != nil {
		t.Fatal(err)
	}
	return p
}

// way returns a Way that asks it.
func (p *provider) way(t *testing.T, change func(*Config)) *Way {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	c := Config{
		Issuer: p.URL + "/", ClientID: openid.ClientID, Secret: openid.ClientSecret, Redirect: back, Scopes: []string{"profile", "email"}, UserClaim: "email",
		Timeout: 5 * time.Second, Client: NewClient(5*time.Second, roots, nil), Log: slog.New(slog.DiscardHandler), Clock: time.Now,
	}
	if change != nil {
		change(&c)
	}
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var authRequest = regexp.MustCompile(`name="id" value="([^"]*)"`)

// visit goes to the provider as a browser does, logs in there, and returns with what
// parameters it is sent back.
func (p *provider) visit(t *testing.T, at, user, password string) url.Values {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Transport: p.Client().Transport, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "portal.example" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := browser.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(page.Body)
	page.Body.Close()
	id := authRequest.FindSubmatch(text)
	if id == nil {
		t.Fatalf("%s: no page to log in:\n%s", page.Status, text)
	}
	answer, err := browser.PostForm(p.URL+"/login/username", url.Values{"id": {string(id[1])}, "username": {user}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	to, err := answer.Location()
	if err != nil {
		return nil // not let in there
	}
	return to.Query()
}

func attempt(mac byte) portal.Attempt {
	return portal.Attempt{Addr: netip.MustParseAddr("10.0.0.2"), MAC: [6]byte{2, 0, 0, 0, 0, mac}, Session: "s1"}
}
