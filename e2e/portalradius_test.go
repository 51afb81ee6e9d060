// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/freeradius"
	"nftdict/internal/need"
)

const radiusSecret = "between us"

// radiusOn is a portal that asks a server on the other side of the gateway.
const radiusOn = portalOn + `ways = ["radius"]
devices_over = "refuse"
` + radiusAt

// radiusAt is how it is told of the server.
const radiusAt = `[portal.radius]
timeout = 1
tries = 2
listen = ["192.0.2.1:3799"]
[[portal.radius.server]]
auth = "192.0.2.2:1812"
acct = "192.0.2.2:1813"
secret = "` + radiusSecret + `"
`

const radiusUsers = `
bob Cleartext-Password := "hello"
	Session-Timeout = 3600, Class = 0x0102, Filter-Id = "staff", Port-Limit = 1
ann Cleartext-Password := "hello"
	Session-Timeout = 3
`

// serveRADIUS runs a server at an address of the lab's internet until the test ends, or
// stop is called.
func (r *rig) serveRADIUS(at netip.Addr, secret, users string) (s *freeradius.Server, stop func()) {
	r.t.Helper()
	path := need.Program(r.t, "freeradius")
	s = &freeradius.Server{
		Dir: r.t.TempDir(), Auth: netip.AddrPortFrom(at, 1812), Acct: netip.AddrPortFrom(at, 1813),
		Client: netip.PrefixFrom(lab.GatewayWAN4, 32), Secret: secret, Users: users,
	}
	args, err := s.Write()
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := r.Internet.Command(ctx, path, args...)
	if err := c.Start(); err != nil {
		cancel()
		r.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			_ = c.Wait()
		}
	}
	r.t.Cleanup(stop)
	return s, stop
}

// radclient sends a request to the portal from somewhere, and returns what comes back.
func (r *rig) radclient(from *lab.Namespace, secret, kind, text string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c := from.Command(ctx, need.Program(r.t, "radclient"), "-x", "-r", "1", "-t", "2", lab.GatewayWAN4.String()+":3799", kind, secret)
	c.Stdin = strings.NewReader(text + "\n")
	out, _ := c.CombinedOutput()
	_, answer, _ := strings.Cut(string(out), "Received ")
	return answer
}

// hears waits until the server has heard of something.
func (r *rig) hears(s *freeradius.Server, want ...string) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("the server hears %q", want), func() error {
		told, err := s.Told()
		for _, w := range want {
			if err == nil && !strings.Contains(told, w) {
				err = fmt.Errorf("it has not heard %q of\n%s", w, told)
			}
		}
		return err
	})
}

// A server of RADIUS lets people in, hears of them, and sends them out again; where it
// does not answer nobody new comes in, and nobody is out.
func TestPortalRADIUS(t *testing.T) {
	r := newRig(t, lab.Config{Guest: true})
	d := r.start(radiusOn)
	me, other := r.visitor(t, r.Client, 4), r.visitor(t, r.Guest, 6)
	me.captive("before")
	other.captive("before")
	me.problem(me.enter("radius", "bob", "hello"), "does not answer")

	s, stop := r.serveRADIUS(lab.Internet4, radiusSecret, radiusUsers)
	r.eventually("the server answers", func() error {
		if page := me.enter("radius", "bob", "wrong"); !strings.Contains(page.body, "not correct") {
			return fmt.Errorf("the page says\n%s", page.body)
		}
		return nil
	})
	me.captive("with a wrong password")
	me.enter("radius", "bob", "hello")
	me.free("let in")
	if a := me.api(); a.Captive || a.Seconds == nil || *a.Seconds > 3600 || *a.Seconds < 3500 {
		t.Errorf("the API says %+v", a)
	}
	if got := r.field("users", "bob", "usergroups"); !strings.Contains(got, "staff") {
		t.Errorf("usergroups %q", got)
	}
	r.hears(s, "Acct-Status-Type = Start\n", "User-Name = \"bob\"\n", "Class = 0x0102\n", "Calling-Station-Id = \""+strings.ToUpper(strings.ReplaceAll(lab.ClientMAC, ":", "-"))+"\"\n")
	other.problem(other.enter("radius", "bob", "hello"), "Too many devices")

	conn := r.echoes(r.Client, 6)
	stop()
	d.kill()
	me.free("the server and dictd dead")
	r.start(radiusOn)
	conn.still(t, "behind both")
	other.problem(other.enter("radius", "ann", "hello"), "does not answer")

	s, _ = r.serveRADIUS(lab.Internet4, radiusSecret, radiusUsers)
	r.eventually("the server answers again", func() error {
		if page := other.enter("radius", "ann", "hello"); strings.Contains(page.body, `id="problem"`) {
			return fmt.Errorf("the page says\n%s", page.body)
		}
		return nil
	})
	other.lost("after the time that the server gave")
	r.hears(s, "User-Name = \"ann\"\n", "Acct-Terminate-Cause = Session-Timeout\n")

	// Who is not the server, or does not have the secret, or does not sign, ends nothing.
	const bob = "User-Name = bob"
	for what, answer := range map[string]string{
		"a stranger":       r.radclient(r.Client, radiusSecret, "disconnect", bob+", Message-Authenticator = 0x00"),
		"another secret":   r.radclient(r.Internet, "guessed", "disconnect", bob+", Message-Authenticator = 0x00"),
		"without a digest": r.radclient(r.Internet, radiusSecret, "disconnect", bob),
	} {
		if answer != "" {
			t.Errorf("%s is answered: %s", what, answer)
		}
	}
	conn.still(t, "behind forged requests")
	me.free("behind forged requests")
	if answer := r.radclient(r.Internet, radiusSecret, "disconnect", bob+", Message-Authenticator = 0x00"); !strings.Contains(answer, "Disconnect-ACK") {
		t.Errorf("the server is answered: %s", answer)
	}
	conn.ends(t, "sent out by the server")
	me.captive("sent out by the server")
	r.hears(s, "User-Name = \"bob\"\n", "Acct-Status-Type = Stop\n", "Acct-Terminate-Cause = Admin-Reset\n", "Class = 0x0102\n")

	me.enter("radius", "bob", "hello")
	me.free("let in again")
	if answer := r.radclient(r.Internet, radiusSecret, "coa", bob+", Session-Timeout = 1, Message-Authenticator = 0x00"); !strings.Contains(answer, "CoA-ACK") {
		t.Errorf("the server is answered: %s", answer)
	}
	me.lost("after the time that the server changed")
}
