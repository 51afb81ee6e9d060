// SPDX-License-Identifier: MIT

package oidc

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"nftdict/dictd/portal"
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
	text, err := json.Marshal(map[string]storage.User{
		"1": {ID: "1", Username: "ann", Password: "secret", Email: "ann@example.org", EmailVerified: true},
		"2": {ID: "2", Username: "bob", Password: "secret", Email: "bob@elsewhere.example", EmailVerified: true},
		"3": {ID: "3", Username: "eve", Password: "secret", Email: "ann@example.org"},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	users, err := storage.StoreFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	storage.RegisterClients(storage.WebClient("gateway", "client secret", back))
	p.handler = exampleop.SetupServer(p.URL+"/", storage.NewStorage(users), slog.New(slog.DiscardHandler), false)
	return p
}

// way returns a Way that asks it.
func (p *provider) way(t *testing.T, change func(*Config)) *Way {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	c := Config{
		Issuer: p.URL + "/", ClientID: "gateway", Secret: "client secret", Redirect: back, Scopes: []string{"profile", "email"}, UserClaim: "email",
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
