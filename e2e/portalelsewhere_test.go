// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nftdict/internal/browser"
	"nftdict/internal/lab"
)

// providerName is that of a provider of logins on the lab's internet.
const providerName = "login.example.net"

// A real browser is let in by those whom the portal asks: a server of RADIUS, by a form,
// and a provider of OpenID Connect, to whose pages it is led, which it finds by DNS and
// reaches through the walled garden, and from whom it comes back.
//
//	client: Chromium ---- lan0 ---- gateway: dictd, portal ---- internet: FreeRADIUS, provider
func TestPortalElsewhereInBrowser(t *testing.T) {
	r := newRig(t, lab.Config{Sites: append(lab.DefaultSites(), lab.Site{Name: providerName})})
	s, _ := r.serveRADIUS(lab.Internet4, radiusSecret, radiusUsers)
	r.serveOpenID(providerName)
	resolv := filepath.Join(r.dir, "resolv.conf")
	if err := os.WriteFile(resolv, []byte("nameserver "+lab.DNS4.String()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.Gateway.Cover(resolv, "/etc/resolv.conf"); err != nil {
		t.Fatal(err)
	}
	r.start(`[portal]
enable = true
interfaces = ["lan0"]
dns = ["192.0.2.53", "2001:db8::53"]
name = "` + portalName + `"
ways = ["radius", "oidc"]
` + r.certify(portalName) + radiusAt + openidAt(providerName, r.CAFile()))
	p := r.surfer(t, 4, providerName).Page(t, browser.View{Width: 360, Height: 740, Phone: true})
	p.Expect("Failed to load resource") // of refusals, and of sites that have no icon
	shot := func(name string) { p.Shot("portal/" + name) }
	send := func(way string) { p.Click(fmt.Sprintf(`section[aria-labelledby="h-%s"] button`, way)) }
	in := func(user string) {
		t.Helper()
		p.Wait(`form[action="/leave"] button`)
		if want := "https://" + portalName + ":8443/status"; p.URL() != want {
			t.Errorf("at %s, want %s", p.URL(), want)
		}
		if got := r.field("hosts", lab.Client4.String(), "username"); got != user {
			t.Errorf("%q is in, want %q", got, user)
		}
		p.Go("http://example.org/")
		if text := p.Text("body"); !strings.HasPrefix(text, "hello from ") {
			t.Errorf("%s is in, and sees %q", user, text)
		}
		p.Go("https://" + portalName + ":8443/status")
		p.Click(`form[action="/leave"] button`)
		p.Wait(`a.button[href="/"]`)
		p.Go("http://example.org/")
		p.Wait("#h-radius")
	}
	p.Go("http://example.org/")
	p.Wait("#h-oidc")
	shot("elsewhere")

	p.Type("#name-radius", "bob")
	p.Type("#secret-radius", "wrong")
	send("radius")
	p.Wait("#problem")
	shot("radius-wrong")
	p.Type("#secret-radius", "hello")
	send("radius")
	in("bob")
	r.hears(s, "User-Name = \"bob\"\n", "Acct-Status-Type = Stop\n", "Acct-Terminate-Cause = User-Request\n")

	send("oidc")
	p.Wait("input[name=username]")
	if !strings.HasPrefix(p.URL(), "https://"+providerName+":9443/") {
		t.Errorf("led to %s", p.URL())
	}
	shot("oidc-provider")
	p.Type("input[name=username]", "eve") // whose address is not verified
	p.Type("input[name=password]", "hello")
	p.Click("button[type=submit]")
	p.Wait("#problem")
	shot("oidc-refused")
	p.Go("https://" + portalName + ":8443/")
	send("oidc")
	p.Wait("input[name=username]")
	p.Type("input[name=username]", "ann")
	p.Type("input[name=password]", "hello")
	p.Click("button[type=submit]")
	in("ann@example.org")
}
