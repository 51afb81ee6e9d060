// SPDX-License-Identifier: MIT

package e2e

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nftdict/internal/browser"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// Names that systems and browsers ask to learn whether there is a portal.
const (
	probeSite   = "detectportal.firefox.com"
	managerSite = "nmcheck.example.net"
)

// certify writes a certificate of the lab's for a name, and returns the lines of a
// configuration that name its files.
func (r *rig) certify(name string) string {
	r.t.Helper()
	leaf, err := r.Authority.Certificate(name)
	if err != nil {
		r.t.Fatal(err)
	}
	key, err := x509.MarshalECPrivateKey(leaf.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		r.t.Fatal(err)
	}
	cert, at := filepath.Join(r.dir, name+".pem"), filepath.Join(r.dir, name+".key")
	err = errors.Join(
		os.WriteFile(cert, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}), r.Authority.PEM()...), 0o600),
		os.WriteFile(at, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key}), 0o600),
	)
	if err != nil {
		r.t.Fatal(err)
	}
	return fmt.Sprintf("certificate = %q\nkey = %q\n", cert, at)
}

// surfer returns a browser at the client that reaches all sites over one family, and
// finds the portal there. For some names it asks DNS.
func (r *rig) surfer(t *testing.T, family int, asks ...string) *browser.Browser {
	t.Helper()
	at := func(four, six netip.Addr) string {
		if family == 6 {
			return "[" + six.String() + "]"
		}
		return four.String()
	}
	rules := []string{"MAP " + portalName + " " + at(lab.GatewayLAN4, lab.GatewayLAN6)}
	for _, name := range asks {
		rules = append(rules, "EXCLUDE "+name)
	}
	for _, s := range r.Sites {
		rules = append(rules, "MAP "+s.Name+" "+at(s.Addr4, s.Addr6))
	}
	block, _ := pem.Decode(r.Authority.PEM())
	authority, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return browser.Start(t, browser.Options{
		NetNS: r.Client.Path(), Trust: []*x509.Certificate{authority},
		Flags: []string{"host-resolver-rules=" + strings.Join(append(rules, "MAP * ~NOTFOUND"), ", ")},
	})
}

// A real browser, with JavaScript and without, over both families: it asks what browsers
// ask, is led to the portal, logs in, goes where it wanted, looks how long it has, and
// leaves. NetworkManager sees it, too.
//
//	client: Chromium, NetworkManager ---- lan0 ---- gateway: dictd, portal, operator's page ---- internet
func TestPortalInBrowser(t *testing.T) {
	r := &paged{rig: newRig(t, lab.Config{Sites: append(lab.DefaultSites(), lab.Site{Name: probeSite}, lab.Site{Name: managerSite})})}
	page := r.page(`[portal]
enable = true
interfaces = ["lan0"]
dns = ["192.0.2.53", "2001:db8::53"]
name = "` + portalName + `"
ways = ["click", "account", "voucher"]
venue_name = "The Lab's Hotel"
` + r.certify(portalName))
	codes := r.vouchers(`{"name":"guests","count":2,"time":3600}`)
	manager := labtest.StartNetworkManager(t, r.Client, "http://"+managerSite+"/", "hello from "+managerSite)
	sees := func(want string) {
		t.Helper()
		r.eventually("NetworkManager sees "+want, func() error {
			if got := manager.Connectivity(t); got != want {
				return fmt.Errorf("it sees %s", got)
			}
			return nil
		})
	}
	for i, family := range []int{4, 6} {
		t.Run(fmt.Sprintf("IPv%d", family), func(t *testing.T) {
			sees("portal")
			p := r.surfer(t, family).Page(t, browser.View{Width: 360, Height: 740, Phone: true, Dark: family == 6, NoScript: family == 6})
			shot := func(name string) { p.Shot(fmt.Sprintf("portal/v%d-%s", family, name)) }
			at := func(path string) {
				t.Helper()
				if want := "https://" + portalName + ":8443" + path; p.URL() != want {
					t.Errorf("at %s, want %s", p.URL(), want)
				}
			}
			p.Expect("Failed to load resource") // of a refusal, and of sites that have no icon
			p.Go("http://" + probeSite + "/success.txt")
			p.Wait("#code")
			at("/")
			shot("enter")
			p.Type("#code", "2222-3333-4444")
			p.Click(`section[aria-labelledby="h-voucher"] button`)
			p.Wait("#problem")
			shot("wrong")
			p.Type("#code", codes[i])
			p.Click(`section[aria-labelledby="h-voucher"] button`)
			p.Wait(`form[action="/leave"] button`)
			at("/status")
			shot("status")
			for _, url := range []string{"http://example.org/", "https://en.wikipedia.org/"} {
				p.Go(url)
				if text := p.Text("body"); !strings.HasPrefix(text, "hello from ") {
					t.Errorf("%s: %q", url, text)
				}
			}
			sees("full")
			p.Go("https://" + portalName + ":8443/")
			p.Wait(`form[action="/leave"] button`)
			p.Look(browser.View{Dark: family == 4, NoScript: family == 6})
			shot("status-wide")
			p.Click(`form[action="/leave"] button`)
			p.Wait(`a.button[href="/"]`)
			shot("left")
			p.Go("http://example.org/")
			p.Wait("#code")
			at("/")
			shot("enter-wide")
		})
	}
	sees("portal")

	// Who is in is seen on the operator's page, and can be ended there.
	p := r.surfer(t, 4).Page(t, browser.View{})
	p.Expect("Failed to load resource")
	p.Go("http://example.org/")
	p.Click(`section[aria-labelledby="h-click"] button`)
	p.Wait(`form[action="/leave"] button`)
	o := browser.Start(t, browser.Options{NetNS: r.Gateway.Path()}).Page(t, browser.View{})
	o.Go(page)
	login(o, "ada")
	open(o, page, "portal")
	o.Until(`document.querySelector(".rows tbody").textContent.includes("` + lab.ClientMAC + `")`)
	o.Shot("operator/portal-in")
	o.Click(`.rows tbody button[data-row]`)
	o.Click(`dialog[open] button.primary`)
	o.Until(`document.querySelector(".rows tbody").textContent.includes("Nobody is in")`)
	p.Go("http://example.org/")
	p.Wait("#code")
}
