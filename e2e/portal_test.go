// SPDX-License-Identifier: MIT

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// Who comes by a click, with an account or a voucher is let in, over both families,
// whichever he has logged in by; what he does wrong he is told; a daemon that is killed
// lets nobody in and throws nobody out.
func TestPortalWays(t *testing.T) {
	r := newRig(t, lab.Config{Guest: true})
	conf := portalOn + "ways = [\"click\", \"account\", \"voucher\"]\ndevices = 1\ndevices_over = \"refuse\"\n"
	d := r.start(conf)
	r.operate("PUT", "/v1/portal/accounts/anna", `{"password":"correct horse"}`, nil)
	codes := r.vouchers(`{"name":"week","count":3,"time":3600}`)
	brief := r.vouchers(`{"name":"brief","count":1,"time":1}`)[0]
	gone := r.vouchers(`{"name":"gone","count":1}`)[0]
	r.operate("POST", "/v1/portal/batches/gone/revoke", "{}", nil)

	emulated := need.Promised("kmod") // each curl takes its time
	for i, family := range []int{4, 6} {
		if emulated && family == 6 {
			continue
		}
		me, other := r.visitor(t, r.Client, family), r.visitor(t, r.Guest, family)
		for _, way := range []struct{ name, user, secret string }{{"click", "", ""}, {"account", "anna", "correct horse"}, {"voucher", "", codes[i]}} {
			if emulated && way.name == "click" {
				continue
			}
			what := fmt.Sprintf("IPv%d, %s", family, way.name)
			me.captive(what)
			if a := me.api(); !a.Captive || a.Portal == "" {
				t.Errorf("%s: before: %+v", what, a)
			}
			switch {
			case family != 4:
			case way.name == "click":
				me.enter("voucher", "", brief)
				me.lost(what + ", after a voucher of a second")
				me.problem(me.enter("voucher", "", brief), "expired")
			case way.name == "account":
				me.problem(me.enter("account", "anna", "wrong"), "not correct")
				me.problem(me.enter("account", "berta", "correct horse"), "not correct")
			case way.name == "voucher":
				me.problem(me.enter("voucher", "", "2222-3333-4444"), "not correct")
				me.problem(me.enter("voucher", "", gone), "withdrawn")
			}
			me.enter(way.name, way.user, way.secret)
			me.free(what)
			if a := me.api(); a.Captive || a.Seconds == nil || *a.Seconds < 3000 {
				t.Errorf("%s: after: %+v", what, a)
			}
			if way.name != "click" && family == 4 {
				other.captive(what)
				other.problem(other.enter(way.name, way.user, way.secret), "Too many devices")
			}

			conn := r.echoes(r.Client, family)
			if family == 4 || need.Promised("long") {
				d.kill()
				me.free(what + ", dictd dead")
				other.reset(what + ", dictd dead")
				conn.still(t, what+", dictd dead")
				d = r.start(conf)
				if a := me.api(); a.Captive {
					t.Errorf("%s: dictd does not know who is in: %+v", what, a)
				}
			}
			conn.still(t, what)
			me.post("/status", "/leave")
			conn.ends(t, what)
			me.captive(what + ", left")
		}
	}
}

// echoes opens a connection to a server that sends back what it gets.
func (r *rig) echoes(from *lab.Namespace, family int) *echo {
	r.t.Helper()
	site, _ := r.Site("example.org")
	to := site.Addr4
	if family == 6 {
		to = site.Addr6
	}
	c, err := from.Dial(r.t.Context(), "tcp", net.JoinHostPort(to.String(), fmt.Sprint(lab.EchoPort)))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return &echo{c}
}

type echo struct{ net.Conn }

func (e *echo) once() error {
	const text = "still there\n"
	if err := e.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(e, text); err != nil {
		return err
	}
	_, err := io.ReadFull(e, make([]byte, len(text)))
	return err
}

func (e *echo) still(t *testing.T, what string) {
	t.Helper()
	if err := e.once(); err != nil {
		t.Errorf("%s: a live connection: %v", what, err)
	}
}

// ends shows that the connection ends with its next packet.
func (e *echo) ends(t *testing.T, what string) {
	t.Helper()
	if err := e.once(); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("%s: a live connection of who has left: %v, want a reset", what, err)
	}
}

// A voucher of 20 MB ends a download within two packets, and nothing new begins.
func TestPortalVolume(t *testing.T) {
	for _, family := range []int{4, 6} {
		// A guest takes its time, and shows the other one.
		if need.Promised("kmod") != (family == 6) && !need.Promised("long") {
			continue
		}
		t.Run(fmt.Sprintf("IPv%d", family), func(t *testing.T) {
			r := newQuotaRig(t, lab.Config{})
			r.start(portalOn + "ways = [\"voucher\"]\n")
			limit := int64(20 * mega)
			if need.Promised("kmod") && !need.Promised("long") {
				limit = 2 * mega
			}
			code := r.vouchers(fmt.Sprintf(`{"name":"small","count":1,"bytes":%d}`, limit))[0]
			me := r.visitor(t, r.Client, family)
			me.captive("before")
			before := r.passed()
			me.enter("voucher", "", code)
			if a := me.api(); a.Captive || a.Bytes == nil || *a.Bytes != limit {
				t.Errorf("let in: %+v", a)
			}
			conn := r.begin(r.Client, family)
			if err := conn.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
				t.Fatal(err)
			}
			n, err := io.CopyN(io.Discard, conn, forever)
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("after %d bytes: %v, want a reset", n, err)
			}
			if err := r.refused(r.Client, family); err != nil {
				t.Errorf("a new connection: %v", err)
			}
			if got := r.passed() - before; got < limit || got > limit+twoFrames {
				t.Errorf("%d bytes passed, want %d and at most two packets more", got, limit)
			} else {
				t.Logf("%d bytes passed of %d", got, limit)
			}
			me.lost("used up")
			me.problem(me.enter("voucher", "", code), "used up")
		})
	}
}
