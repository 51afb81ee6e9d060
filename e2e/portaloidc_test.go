// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"nftdict/internal/lab"
	"nftdict/internal/lab/openid"
)

const (
	portalName   = "portal.example.net"
	openidHost   = "192.0.2.2"
	openidIssuer = "https://" + openidHost + ":9443/"
)

// openidAt is how a portal is told of a provider.
func openidAt(host, ca string) string {
	return fmt.Sprintf(`[portal.oidc]
issuer = "https://%s:9443/"
client_id = %q
secret = %q
ca = %q
timeout = 5
`, host, openid.ClientID, openid.ClientSecret, ca)
}

// serveOpenID runs a provider of a name, or an address, at the lab's internet until the
// test ends, or stop is called.
func (r *rig) serveOpenID(host string) (stop func()) {
	r.t.Helper()
	handler, err := openid.New("https://"+host+":9443/", "https://"+portalName+":8443/finish/oidc", r.t.TempDir(), openid.User{Name: "ann", Password: "hello", Mail: "ann@example.org", Verified: true},
		openid.User{Name: "eve", Password: "hello", Mail: "ann@example.org"})
	if err != nil {
		r.t.Fatal(err)
	}
	cert, err := r.Authority.Certificate(host)
	if err != nil {
		r.t.Fatal(err)
	}
	listener, err := r.Internet.Listen(context.Background(), "tcp", ":9443")
	if err != nil {
		r.t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*cert}}))
	stop = func() { server.Close() }
	r.t.Cleanup(stop)
	return stop
}

// refresh is how a page leads on: a form may not lead to another host.
var refresh = regexp.MustCompile(`http-equiv="refresh" content="[0-9]+; ?url=([^"]*)"`)

var openidRequest = regexp.MustCompile(`name="id" value="([^"]*)"`)

// journey logs in at the provider and returns the answer of the portal when the browser
// has come back.
func (v *visitor) journey(name, password string) reply {
	v.t.Helper()
	begun := v.send("/", "/begin/oidc")
	at := ""
	if m := refresh.FindStringSubmatch(begun.body); m != nil {
		at = html.UnescapeString(m[1])
	}
	get := func(args ...string) reply {
		v.t.Helper()
		r, err := v.curl(args...)
		if err != nil {
			v.t.Fatalf("%q: %v", args, err)
		}
		return r
	}
	if !strings.HasPrefix(at, openidIssuer) {
		v.t.Fatalf("the browser is sent to %q: %+v", at, begun)
	}
	page := get("-L", at)
	id := openidRequest.FindStringSubmatch(page.body)
	if id == nil {
		v.t.Fatalf("no page to log in:\n%s", page.body)
	}
	r := get("--data-urlencode", "id="+id[1], "--data-urlencode", "username="+name, "--data-urlencode", "password="+password, openidIssuer+"login/username")
	for strings.HasPrefix(r.location, openidIssuer) {
		r = get(r.location)
	}
	if r.location == "" {
		return r
	}
	if r = get(r.location); r.code == 303 {
		return v.page(strings.TrimPrefix(r.location, v.base))
	}
	return r
}

// A provider of OpenID Connect lets people in: its pages are reached before, nothing
// else is. Where it is not there nobody new comes in, and nobody is out.
func TestPortalOIDC(t *testing.T) {
	r := newRig(t, lab.Config{Guest: true})
	conf := portalOn + fmt.Sprintf("ways = [\"oidc\"]\nname = %q\n", portalName) + openidAt(openidHost, r.CAFile())
	stop := r.serveOpenID(openidHost)
	d := r.start(conf)
	me, other := r.visitor(t, r.Client, 4), r.visitor(t, r.Guest, 4)
	me.hosts = []string{portalName + ":8443:" + lab.GatewayLAN4.String()}
	other.hosts = []string{portalName + ":8443:" + lab.GatewayGuest4.String()}
	me.captive("before")
	other.captive("before")
	if page := me.journey("ann", "wrong"); page.code != 200 || strings.Contains(page.body, portalName) {
		t.Errorf("with a wrong password: %+v", page)
	}
	me.captive("with a wrong password")
	me.problem(me.journey("eve", "hello"), "")
	me.captive("with an address that is not verified")
	me.journey("ann", "hello")
	me.free("let in")
	if got := r.field("hosts", lab.Client4.String(), "username"); got != "ann@example.org" {
		t.Errorf("username %q", got)
	}
	// What the browser brings back from there counts once, and for nobody else.
	if page := other.page("/finish/oidc?state=AAAA&code=x"); !strings.Contains(page.body, `id="problem"`) {
		t.Errorf("a made-up way back: %d\n%s", page.code, page.body)
	}
	other.captive("a made-up way back")

	conn := r.echoes(r.Client, 4)
	stop()
	d.kill()
	me.free("the provider and dictd dead")
	r.start(conf)
	conn.still(t, "behind both")
	me.post("/status", "/leave")
	conn.ends(t, "left")
	me.captive("left")
	other.problem(other.send("/", "/begin/oidc"), "does not answer")
}
