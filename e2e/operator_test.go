// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

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

// page has dictd run with the operator's page, and returns the page's address.
func (r *rig) page(extra ...string) string {
	r.t.Helper()
	file := filepath.Join(r.dir, "operators")
	for _, who := range [][]string{{"ada", "--write"}, {"bob"}} {
		cmd := r.Gateway.Command(context.Background(), filepath.Join(bin, "dictctl"), append([]string{"operator", "password", "--file", file}, who...)...)
		cmd.Stdin = strings.NewReader("the password of " + who[0] + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("operator password: %v\n%s", err, out)
		}
	}
	r.start(append(extra, "[operator]", "enable = true", fmt.Sprintf("passwords = %q", file))...)
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
			got, err := r.live()
			if err == nil && got < sent {
				err = fmt.Errorf("%d of %d", got, sent)
			}
			return err
		})
	}
}

// live returns how many sessions there are.
func (r *rig) live() (int, error) {
	out, err := r.try("dictctl", "-j", "status")
	if err != nil {
		return 0, err
	}
	var status struct {
		Daemon struct {
			Sessions struct{ Sessions int }
		}
	}
	return status.Daemon.Sessions.Sessions, json.Unmarshal([]byte(out), &status)
}

// The operator's page in a real browser, on the gateway, while 10,000 sessions live: every
// view, light and dark, wide and on a telephone.
//
//	client (40 hosts) -> gateway: dictd, its page on 127.0.0.1:8790, Chromium -> internet
func TestOperatorPage(t *testing.T) {
	r := newRig(t, lab.Config{})
	b := browser.Start(t, browser.Options{NetNS: r.Gateway.Path()})
	page := r.page("[[plan]]\nname = \"daily\"\nfor = [\"users\"]\nvolume = \"20MB\"\nperiod = \"day\"")
	for i := range pageHosts {
		name := fmt.Sprintf("user-%02d", i)
		if i == 0 {
			name = hostile
		}
		r.must("dictctl", "user", "bind", name, fmt.Sprintf("02:00:00:00:99:%02x", i))
	}
	r.crowd(pageSessions)

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
	p.Errors() // the browser tells of the answer 401
	p.Type("#name", "ada")
	p.Type("#password", "the password of ada")
	p.Click("#login")
	p.Wait("#nav a")

	for _, view := range []string{"now", "sessions", "flows", "quotas", "portal", "tables", "events"} {
		p.Go(page + "#/" + view)
		p.Until(fmt.Sprintf(`document.querySelector('.view[data-view="%s"]')?.dataset.ready`, view))
		p.Until(`document.querySelector(".problem[role=alert]").hidden`)
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
}
