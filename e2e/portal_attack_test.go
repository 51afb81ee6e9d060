// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"fmt"
	"html"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// Who attacks the portal stays out, keeps nobody else out, and learns nothing.
func TestPortalAttacks(t *testing.T) {
	r := newRig(t, lab.Config{Guest: true})
	d := r.start(portalOn + "ways = [\"account\", \"voucher\"]\n")
	const password = "correct horse"
	r.operate("PUT", "/v1/portal/accounts/anna", `{"password":"`+password+`"}`, nil)
	code := r.vouchers(`{"name":"week","count":1}`)[0]
	evil, honest := r.visitor(t, r.Client, 4), r.visitor(t, r.Guest, 4)
	evil.captive("at first")
	honest.captive("at first")

	// Names that are not the portal's, at its port and at others': nothing comes back.
	site, _ := r.Site("example.org")
	for _, url := range []string{
		"http://" + site.Addr4.String() + "/?url=http://evil.example/", "http://" + site.Addr4.String() + "/%0d%0aX-Evil:%20evil/<script>evil</script>",
		"http://" + lab.GatewayLAN4.String() + ":8880//evil.example/..", evil.base + "/?url=//evil.example",
	} {
		for _, host := range []string{"evil.example", "evil.example:80", lab.GatewayLAN4.String() + ".evil.example", "evil.example'onclick='evil"} {
			a, err := evil.curl("--path-as-is", "-D", "-", "-H", "Host: "+host, url)
			if err != nil || a.code != 302 || a.location != evil.base+"/" || strings.Contains(a.body, "evil") {
				t.Errorf("%s at %s: %d to %q, %v\n%s", host, url, a.code, a.location, err, a.body)
			}
		}
	}

	// Forms that are not the portal's own, with what would let in.
	token := func(v *visitor) string {
		t.Helper()
		m := tokenOf.FindStringSubmatch(v.page("/").body)
		if m == nil {
			t.Fatal("no form")
		}
		return html.UnescapeString(m[1])
	}
	own := []string{"--data-urlencode", "way=voucher", "--data-urlencode", "secret=" + code, evil.base + "/enter"}
	for what, words := range map[string][]string{
		"no token":                      {},
		"another device's token":        {"--data-urlencode", "token=" + token(honest)},
		"from another site":             {"--data-urlencode", "token=" + token(evil), "-H", "Origin: https://evil.example"},
		"from another site, as it says": {"--data-urlencode", "token=" + token(evil), "-H", "Sec-Fetch-Site: cross-site"},
		"by a link":                     {"-G", "--data-urlencode", "token=" + token(evil)},
		"no form":                       {"-H", "Content-Type: text/plain", "--data-urlencode", "token=" + token(evil)},
		"too long":                      {"--data-urlencode", "token=" + token(evil), "--data-urlencode", "x=" + strings.Repeat("x", 5000)},
	} {
		a, err := evil.curl(append(words, own...)...)
		if err != nil || a.code < 400 || a.code >= 500 {
			t.Errorf("%s: %d %v\n%s", what, a.code, err, a.body)
		}
	}
	evil.captive("after forms of others")

	// Guesses: after a few the right ones are refused as well. Others are not.
	said := ""
	for i := range 30 {
		a := evil.enter("voucher", "", fmt.Sprintf("2222-3333-%04d", i))
		if said = "not correct"; a.code == 429 {
			said = "Too many attempts"
		}
		evil.problem(a, said)
		if a.code == 429 {
			break
		}
	}
	if said != "Too many attempts" {
		t.Error("30 vouchers may be guessed at once")
	}
	evil.problem(evil.enter("voucher", "", code), "Too many attempts")
	evil.problem(evil.enter("account", "anna", password), "Too many attempts")

	// Connections that say nothing, through the redirection and to the portal itself.
	for i := range 400 {
		to := net.JoinHostPort(site.Addr4.String(), "80")
		if i%2 == 0 {
			to = net.JoinHostPort(lab.GatewayLAN4.String(), "8443")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		c, err := r.Client.Dial(ctx, "tcp", to)
		cancel()
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer c.Close()
	}
	// Connections that are not even begun, in others' names.
	labtest.HalfOpen(t, r.Lab, 10_000, netip.AddrPortFrom(site.Addr4, 80), netip.AddrPortFrom(site.Addr6, 80), netip.AddrPortFrom(lab.GatewayLAN4, 8443), netip.AddrPortFrom(lab.GatewayLAN6, 8443))
	honest.enter("voucher", "", code)
	honest.free("beside who attacks")

	// From outside there is no portal.
	for _, port := range []string{"8880", "8443"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if c, err := r.Internet.Dial(ctx, "tcp", net.JoinHostPort(lab.GatewayWAN4.String(), port)); err == nil {
			c.Close()
			t.Errorf("port %s answers outside", port)
		}
		cancel()
	}

	// Who takes the address of somebody who is in has another MAC. Who is in, and gets
	// one by lot, is known by his browser.
	evil.captive("at last")
	r.newMAC(r.Guest, "02:00:00:00:78:77")
	thief := r.visitor(t, r.Guest, 4)
	thief.captive("with a stolen address")
	honest.page("/status")
	honest.free("with a new MAC and his cookie")
	r.newMAC(r.Guest, lab.GuestMAC)
	thief.captive("with the MAC of before")

	for _, secret := range []string{code, strings.ReplaceAll(code, "-", ""), password} {
		if strings.Contains(d.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// newMAC gives the device of a namespace another hardware address.
func (r *rig) newMAC(ns *lab.Namespace, mac string) {
	r.t.Helper()
	if out, err := ns.Command(r.t.Context(), "ip", "link", "set", "dev", "eth0", "address", mac).CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
}
