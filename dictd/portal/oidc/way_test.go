// SPDX-License-Identifier: MIT

package oidc

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/portal"
)

// A real provider lets in whom it knows, by his verified address; each journey once,
// and at the device where it began.
func TestJourney(t *testing.T) {
	p := startProvider(t)
	w := p.way(t, nil)
	begin := func() string {
		t.Helper()
		to, err := w.Begin(t.Context(), attempt(1))
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	to := begin()
	u, _ := url.Parse(to)
	if q := u.Query(); !strings.HasPrefix(to, p.URL) || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("redirect_uri") != back {
		t.Errorf("sent to %s", to)
	}
	said := p.visit(t, to, "ann", "secret")
	if _, err := w.Finish(t.Context(), attempt(2), said.Get("state"), said.Get("code")); !errors.Is(err, portal.ErrExpired) {
		t.Errorf("another device: %v", err)
	}
	g, err := w.Finish(t.Context(), attempt(1), said.Get("state"), said.Get("code"))
	if err != nil || g.User != "ann@example.org" || g.Groups != nil {
		t.Fatalf("%+v, %v", g, err)
	}
	if _, err := w.Finish(t.Context(), attempt(1), said.Get("state"), said.Get("code")); !errors.Is(err, portal.ErrExpired) {
		t.Errorf("twice: %v", err)
	}
	// The same code in another journey.
	next, _ := url.Parse(begin())
	if _, err := w.Finish(t.Context(), attempt(1), next.Query().Get("state"), said.Get("code")); !errors.Is(err, portal.ErrWrong) {
		t.Errorf("a code twice: %v", err)
	}
	// A code that was made for another's journey: he would be in as somebody else.
	mine, _ := url.Parse(begin())
	his := p.visit(t, begin(), "bob", "secret")
	if _, err := w.Finish(t.Context(), attempt(1), mine.Query().Get("state"), his.Get("code")); err == nil {
		t.Error("another journey's code is taken")
	}
	if said := p.visit(t, begin(), "ann", "wrong"); said != nil {
		t.Errorf("the provider lets in %v", said)
	}
	refused, _ := url.Parse(begin())
	if _, err := w.Finish(t.Context(), attempt(1), refused.Query().Get("state"), ""); !errors.Is(err, portal.ErrRefused) {
		t.Errorf("no code: %v", err)
	}
	unverified := p.visit(t, begin(), "eve", "secret")
	if g, err := w.Finish(t.Context(), attempt(1), unverified.Get("state"), unverified.Get("code")); !errors.Is(err, portal.ErrRefused) {
		t.Errorf("an address that is not verified: %+v, %v", g, err)
	}
	if _, err := w.Check(t.Context(), portal.Attempt{Name: "ann", Secret: "secret"}); !errors.Is(err, portal.ErrNoWay) {
		t.Errorf("without a journey: %v", err)
	}
}

// Who is let in may be bounded, and be called otherwise.
func TestGrant(t *testing.T) {
	p := startProvider(t)
	for _, c := range []struct {
		what, user string
		change     func(*Config)
		want       string
		err        error
	}{
		{"a domain", "ann", func(c *Config) { c.Domains = []string{"EXAMPLE.org"} }, "ann@example.org", nil},
		{"another domain", "bob", func(c *Config) { c.Domains = []string{"example.org"} }, "", portal.ErrRefused},
		{"a domain, by an address not verified", "eve", func(c *Config) { c.UserClaim, c.Domains = "sub", []string{"example.org"} }, "", portal.ErrRefused},
		{"a name", "bob", func(c *Config) { c.UserClaim = "preferred_username" }, "bob", nil},
		{"a subject", "bob", func(c *Config) { c.UserClaim = "sub" }, "bob", nil},
		{"no such claim", "bob", func(c *Config) { c.UserClaim = "nick" }, "", portal.ErrRefused},
		{"a group that is not told", "bob", func(c *Config) { c.GroupsClaim, c.Groups = "groups", []string{"staff"} }, "", portal.ErrRefused},
		{"another client's secret", "bob", func(c *Config) { c.Secret = "guessed" }, "", portal.ErrRefused},
	} {
		w := p.way(t, c.change)
		to, err := w.Begin(t.Context(), attempt(1))
		if err != nil {
			t.Fatal(err)
		}
		said := p.visit(t, to, c.user, "secret")
		g, err := w.Finish(t.Context(), attempt(1), said.Get("state"), said.Get("code"))
		if g.User != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v, want %q, %v", c.what, g, err, c.want, c.err)
		}
	}
}

// A provider that is not there, or is another, lets nobody in.
func TestUnreachable(t *testing.T) {
	p := startProvider(t)
	clock := time.Now()
	w := p.way(t, func(c *Config) { c.Clock = func() time.Time { return clock } })
	to, err := w.Begin(t.Context(), attempt(1))
	if err != nil {
		t.Fatal(err)
	}
	said := p.visit(t, to, "ann", "secret")
	well := p.handler
	p.handler = http.NotFoundHandler()
	if _, err := p.way(t, nil).Begin(t.Context(), attempt(1)); !errors.Is(err, portal.ErrUnreachable) {
		t.Errorf("no provider: %v", err)
	}
	p.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	if g, err := w.Finish(t.Context(), attempt(1), said.Get("state"), said.Get("code")); err == nil {
		t.Errorf("no token: %+v", g)
	}
	p.handler = well
	if _, err := p.way(t, func(c *Config) { c.Issuer = p.URL + "/other" }).Begin(t.Context(), attempt(1)); !errors.Is(err, portal.ErrUnreachable) {
		t.Errorf("another issuer: %v", err)
	}
	to, err = w.Begin(t.Context(), attempt(1))
	if err != nil {
		t.Fatal(err)
	}
	said = p.visit(t, to, "ann", "secret")
	clock = clock.Add(journeyLife)
	if _, err := w.Finish(t.Context(), attempt(1), said.Get("state"), said.Get("code")); !errors.Is(err, portal.ErrExpired) {
		t.Errorf("a day later: %v", err)
	}
	p.Close()
	stranger := p.way(t, nil)
	for range 2 {
		if _, err := stranger.Begin(t.Context(), attempt(1)); !errors.Is(err, portal.ErrUnreachable) {
			t.Errorf("closed: %v", err)
		}
	}
	for _, issuer := range []string{"http://example.org", "example.org", "https://", "https://example.org/?a=b", "ftp://example.org"} {
		if _, err := New(Config{Issuer: issuer, ClientID: "x", UserClaim: "sub"}); err == nil {
			t.Errorf("issuer %q is taken", issuer)
		}
	}
}

// What is remembered is bounded: by device, and in all.
func TestJourneys(t *testing.T) {
	j, now := newJourneys(), time.Now()
	one := device{mac: [6]byte{2}}
	for i := range 3 * maxOfDevice {
		if !j.put(string(rune('a'+i)), journey{who: one, began: now.Add(time.Duration(i))}) {
			t.Fatal("no room")
		}
	}
	if len(j.all) != maxOfDevice || j.count[one] != maxOfDevice {
		t.Errorf("%d journeys of a device", len(j.all))
	}
	if _, ok := j.take("a", one, now); ok {
		t.Error("the oldest is there")
	}
	if _, ok := j.take(string(rune('a'+3*maxOfDevice-1)), one, now); !ok {
		t.Error("the youngest is gone")
	}
	many := func(at time.Time) (n int) {
		for i := range maxJourneys + 10 {
			who := device{addr: netip.AddrFrom4([4]byte{10, byte(at.Unix()), byte(i >> 8), byte(i)})}
			if j.put(who.addr.String(), journey{who: who, began: at}) {
				n++
			}
		}
		return n
	}
	if n := many(now); len(j.all) != maxJourneys || n >= maxJourneys {
		t.Errorf("%d of %d", n, len(j.all))
	}
	if n := many(now.Add(journeyLife + time.Second)); n == 0 || len(j.all) != maxJourneys {
		t.Errorf("later %d of %d", n, len(j.all))
	}
	for s, one := range j.all {
		j.take(s, one.who, now)
	}
	if len(j.count) != 0 {
		t.Errorf("%d are counted of none", len(j.count))
	}
}
