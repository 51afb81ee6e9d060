// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"nftdict/dictd/api"
	"nftdict/internal/browser"
	"nftdict/internal/lab"
)

// Who is on the page: so many addresses behind the gateway, each with a device and a user
// of its own, and so many sessions.
const (
	pageHosts    = 40
	pageSessions = 10000
)

// hostile is the name of a user: what a page must show, and not do.
const hostile = `<img/src=x/onerror=document.title='owned'>`

// paged is a rig whose dictd has the operator's page.
type paged struct {
	*rig
	again func() // starts it, as it was
}

// page has dictd run with the operator's page, and returns the page's address.
func (r *paged) page(extra ...string) string {
	r.t.Helper()
	file := filepath.Join(r.dir, "operators")
	for _, who := range [][]string{{"ada", "--write"}, {"bob"}} {
		cmd := r.Gateway.Command(context.Background(), filepath.Join(bin, "dictctl"), append([]string{"operator", "password", "--file", file}, who...)...)
		cmd.Stdin = strings.NewReader("the password of " + who[0] + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("operator password: %v\n%s", err, out)
		}
	}
	r.again = func() { r.start(append(extra, "[operator]", "enable = true", fmt.Sprintf("passwords = %q", file))...) }
	r.again()
	return "http://127.0.0.1:8790/"
}

// crowd lets pageHosts hosts open n sessions: each a question to DNS, or a datagram to a
// site whose name the host has asked for. They stay as long as the test.
func (r *rig) crowd(n int) {
	r.t.Helper()
	for _, name := range []string{"net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_udp_timeout_stream"} {
		if err := r.Gateway.Sysctl(name, "3600"); err != nil {
			r.t.Fatal(err)
		}
	}
	var addresses, neighbours strings.Builder
	for i := range pageHosts {
		fmt.Fprintf(&addresses, "address add 192.168.77.%d/24 dev eth0\n", 100+i)
		fmt.Fprintf(&neighbours, "neigh replace 192.168.77.%d lladdr 02:00:00:00:99:%02x dev lan0 nud permanent\n", 100+i, i)
	}
	for on, text := range map[*lab.Namespace]string{r.Client: addresses.String(), r.Gateway: neighbours.String()} {
		cmd := on.Command(context.Background(), "ip", "-batch", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("ip: %v\n%s", err, out)
		}
	}
	dns := net.UDPAddrFromAddrPort(netip.AddrPortFrom(lab.DNS4, 53))
	for sent := 0; sent < n; {
		err := r.Client.Do(func() error {
			for range 1000 {
				from := netip.AddrFrom4([4]byte{192, 168, 77, byte(100 + sent%pageHosts)})
				conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, uint16(20000+sent/pageHosts))), dns)
				if err != nil {
					return err
				}
				name := fmt.Sprintf("host-%d", sent)
				query := append([]byte{byte(sent >> 8), byte(sent), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, byte(len(name))}, name...)
				query = append(query, "\x07example\x00\x00\x01\x00\x01"...)
				_, err = conn.Write(query)
				if err = errors.Join(err, conn.Close()); err != nil {
					return err
				}
				sent++
			}
			return nil
		})
		if err != nil {
			r.t.Fatal(err)
		}
		// Not faster than they are looked at: who finds the queue full is not inspected.
		r.eventually("the sessions are there", func() error {
			status, err := api.NewClient(r.socket()).Status(r.t.Context())
			if err == nil && status.Sessions.Sessions < sent {
				err = fmt.Errorf("%d of %d", status.Sessions.Sessions, sent)
			}
			return err
		})
	}
}

// newPaged returns a rig on which 10,000 sessions of users live, and its page's address.
func newPaged(t testing.TB) (*paged, string) {
	t.Helper()
	r := &paged{rig: newRig(t, lab.Config{})}
	page := r.page(`[[plan]]
name = "daily"
for = ["users"]
volume = "20MB"
period = "day"
[portal]
enable = true
interfaces = ["lan7"] # of nobody here
ways = ["voucher"]
self_signed = true`)
	for i := range pageHosts {
		name := fmt.Sprintf("user-%02d", i)
		if i == 0 {
			name = hostile
		}
		if _, err := api.NewClient(r.socket()).Bind(t.Context(), fmt.Sprintf("02:00:00:00:99:%02x", i), name); err != nil {
			t.Fatal(err)
		}
	}
	r.crowd(pageSessions)
	return r, page
}

// The operator's page in a real browser, on the gateway, while 10,000 sessions live: every
// view, light and dark, wide and on a telephone.
//
//	client (40 hosts) -> gateway: dictd, its page on 127.0.0.1:8790, Chromium -> internet
func TestOperatorPage(t *testing.T) {
	r, page := newPaged(t)
	b := browser.Start(t, browser.Options{NetNS: r.Gateway.Path()})
	p := b.Page(t, browser.View{})
	p.Go(page)
	p.Wait("#login")
	p.Shot("operator/login-light")
	p.Look(browser.View{Width: 360, Height: 740, Phone: true, Dark: true})
	p.Shot("operator/login-phone-dark")
	p.Look(browser.View{})
	p.Type("#name", "ada")
	p.Type("#password", "wrong")
	p.Click("#login")
	p.Wait("#wrong")
	p.Expect("status of 401") // the browser tells of it
	login(p, "ada")
	looked(t, p, page)
	r.searched(p, page)
	r.changed(p, page)
	r.left(p, b.Page(t, browser.View{}), page)
}

// open opens a view, and waits until it shows what it is about.
func open(p *browser.Page, page, view string) {
	p.Go(page + "#/" + view)
	p.Until(fmt.Sprintf(`document.querySelector('.view[data-view="%s"]')?.dataset.ready`, view))
	p.Until(`document.querySelector(".problem[role=alert]").hidden`)
}

// looked looks at every view in every way, and at where what it shows came from.
func looked(t *testing.T, p *browser.Page, page string) {
	for _, view := range []string{"now", "sessions", "flows", "quotas", "portal", "tables", "events"} {
		open(p, page, view)
		for _, v := range []browser.View{{Dark: true}, {Width: 360, Height: 740, Phone: true}, {Width: 360, Height: 740, Phone: true, Dark: true}, {}} {
			p.Look(v)
			var wide int
			if p.Eval(`document.documentElement.scrollWidth - innerWidth`, &wide); wide > 0 {
				t.Errorf("%s: %d pixels wider than the window of %d", view, wide, max(v.Width, 1440))
			}
			name := map[bool]string{false: "light", true: "dark"}[v.Dark]
			if v.Phone {
				name = "phone-" + name
			}
			p.Shot("operator/" + view + "-" + name)
		}
	}
	var foreign []string
	p.Eval(`performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith(location.origin + "/"))`, &foreign)
	if len(foreign) > 0 {
		t.Errorf("loaded from elsewhere: %q", foreign)
	}
	// What is the name of a user did nothing, and is there to be read.
	var owned bool
	if p.Eval(`document.title.includes("owned") || document.querySelector('img[src="x"]') !== null`, &owned); owned {
		t.Error("a name has become markup")
	}
}

// searched goes through the 10,000 sessions as people do.
func (r *paged) searched(p *browser.Page, page string) {
	open(p, page, "sessions")
	const rows = `document.querySelectorAll(".rows tbody tr:not(.spacer)")`
	p.Until(fmt.Sprintf(`Number(document.querySelector(".scroll.fill").dataset.total) >= %d`, pageSessions))
	// Of all only those exist that are to be seen, and the last can be.
	p.Until(rows + `.length < 200`)
	p.Click(`button[data-sort="client"]`)
	p.Eval(`document.querySelector(".scroll.fill").scrollTop = 1e9, undefined`, nil)
	p.Until(`(() => { const d = document.querySelector(".scroll.fill").dataset; return Number(d.skip) > 9000 && Number(d.total) - Number(d.skip) === ` + rows + `.length })()`)
	p.Shot("operator/sessions-end")
	p.Type(`input[type=search]`, "host-4711.example")
	p.Until(rows + `.length === 1 && ` + rows + `[0].textContent.includes("host-4711")`)
	p.Click(`.rows tbody button[data-row]`)
	p.Until(`document.querySelector("dialog[open] ol.evidence")?.textContent.includes("packet 1")`)
	p.Shot("operator/session")
	p.Keys(kb.Escape)
	p.Until(`!document.querySelector("dialog[open]")`)
	p.Type(`input[type=search]`, "onerror")
	p.Until(rows + `.length > 10 && [...` + rows + `].every((r) => r.textContent.includes("<img/src=x/onerror"))`)

	// The plot by keyboard: it tells what it shows.
	open(p, page, "now")
	p.Until(`document.querySelector(".plot path")`)
	p.Eval(`document.querySelector(".plot svg").focus()`, nil)
	p.Keys(kb.End)
	p.Until(`!document.querySelector(".plot .tip").hidden && document.querySelector("[aria-live=polite].skip").textContent.includes("bit/s")`)
	p.Shot("operator/plot")
	p.Click(`button[data-value="day"]`)
	p.Until(`document.querySelector(".plot text")?.textContent !== undefined && document.querySelector(".legend").textContent.includes("DNS")`)
	p.Shot("operator/now-day")
}

// changed changes what may be changed, and looks whether it is so.
func (r *paged) changed(p *browser.Page, page string) {
	open(p, page, "quotas")
	p.Type(`input[type=search]`, "user-07")
	p.Until(`document.querySelectorAll(".budget").length === 1`)
	p.Click(`.budget button:first-of-type`)
	p.Type("#amount", "123")
	p.Shot("operator/topup")
	p.Click("#more")
	p.Until(`document.querySelector(".budget").textContent.includes("143 MB")`)
	if out := r.must("dictctl", "quota", "show", "user", "user-07"); !strings.Contains(out, "143") {
		r.t.Errorf("topped up: %s", out)
	}

	open(p, page, "portal")
	p.Click(`button[data-value="vouchers"]`)
	p.Click("#make")
	p.Type("#batch", "<b>guests</b>")
	p.Type("#count", "3")
	p.Shot("operator/make")
	p.Click("#made")
	p.Until(`document.querySelectorAll("#codes dd").length === 3`)
	p.Shot("operator/codes")
	p.Keys(kb.Escape)
	p.Until(`document.querySelector(".rows tbody")?.textContent.includes("<b>guests</b>")`)
	if out := r.must("dictctl", "portal", "voucher", "list"); !strings.Contains(out, "<b>guests</b>") {
		r.t.Errorf("vouchers: %s", out)
	}
	p.Shot("operator/vouchers")
}

// left logs out, and lets another one look who may change nothing; while dictd is gone
// the page says so, and where it is there again it asks who looks.
func (r *paged) left(p, other *browser.Page, page string) {
	other.Expect("status of 401", "status of 403", "net::ERR_") // of dictd that is gone
	p.Click("#logout")
	p.Wait("#login")
	other.Go(page)
	login(other, "bob")
	open(other, page, "quotas")
	other.Until(`document.querySelectorAll(".budget").length > 0 && document.querySelectorAll(".budget button").length === 0`)
	other.Eval(`fetch("/v1/users/eve", {method: "PUT", headers: {"Content-Type": "application/json", "X-Key": localStorage.getItem("key")}, body: '{"usergroups":[]}'}).then((r) => { window.answered = r.status })`, nil)
	other.Until(`window.answered === 403`)
	open(other, page, "now")
	r.dead.kill()
	other.Until(`!document.querySelector(".problem[role=alert]").hidden`)
	other.Shot("operator/gone")
	r.again()
	other.Wait("#login")
}

// login fills in the form.
func login(p *browser.Page, name string) {
	p.Type("#name", name)
	p.Type("#password", "the password of "+name)
	p.Click("#login")
	p.Wait("#nav a")
}

// How long it takes from the navigation until the sessions are shown, of which there are
// 10,000.
func BenchmarkOperatorPage(b *testing.B) {
	r, page := newPaged(b)
	p := browser.Start(b, browser.Options{NetNS: r.Gateway.Path()}).Page(b, browser.View{})
	p.Go(page)
	login(p, "ada")
	open(p, page, "sessions")
	took := make([]float64, 0, b.N)
	for range b.N {
		p.Reload()
		p.Until(`performance.getEntriesByName("shown").length`)
		var ms float64
		p.Eval(`performance.getEntriesByName("shown")[0].startTime`, &ms)
		took = append(took, ms*1e6)
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "shown-ns")
	b.ReportMetric(took[len(took)-1], "worst-ns")
}
