// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// What becomes of rows and rules when connections, daemons and other people's
// nft come and go.

// hello opens a TLS connection from a fixed port of the client to an address
// under any name, and leaves it open.
func (r *rig) hello(port int, to netip.Addr, name string) (net.Conn, error) {
	var conn net.Conn
	err := r.Client.Do(func() error {
		d := net.Dialer{
			LocalAddr: &net.TCPAddr{IP: lab.Client4.AsSlice(), Port: port},
			Timeout:   3 * time.Second,
			Control:   reuse,
		}
		c, err := d.Dial("tcp4", netip.AddrPortFrom(to, 443).String())
		if err != nil {
			return err
		}
		t := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, CurvePreferences: lab.Classical()})
		_ = c.SetDeadline(time.Now().Add(3 * time.Second))
		if err := t.Handshake(); err != nil {
			return errors.Join(err, c.Close())
		}
		conn = c
		return nil
	})
	return conn, err
}

// abort closes a TCP connection by RST, so that its port is free at once.
func abort(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func TestReusedIDHasNoStaleRow(t *testing.T) {
	for _, alive := range []bool{true, false} {
		t.Run(fmt.Sprintf("daemon alive %v", alive), func(t *testing.T) {
			r := newRig(t, lab.Config{})
			r.forward()
			site, _ := r.Site("example.org")
			// Else a late packet of the server makes an entry in the other direction.
			r.must("sh", "-c", "echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose")
			const port = 40123
			// The kernel hands out the memory of a deleted entry, and so its id, on
			// the processor that freed it: mostly, not always.
			for range 20 {
				d := r.start()
				first, err := r.hello(port, site.Addr4, "www.netflix.com")
				if err != nil {
					t.Fatal(err)
				}
				id := r.connection(443)
				r.eventually("the session is NETFLIX", func() error {
					if got := r.field("sessions", id, "application"); got != "NETFLIX" {
						return fmt.Errorf("application is %q", got)
					}
					return nil
				})
				if !alive {
					d.kill()
				}
				abort(first)
				r.must("conntrack", "-D", "-p", "tcp", "--sport", fmt.Sprint(port))
				r.nft("add rule ip filter forward dict sessions ct id application NETFLIX reject with tcp reset")

				second, err := r.hello(port, site.Addr4, "example.org")
				if err != nil {
					t.Fatalf("the connection after a deleted one is taken for it: %v", err)
				}
				again := r.connection(443)
				stale := r.field("sessions", again, "application") == "NETFLIX"
				abort(second)
				r.must("conntrack", "-D", "-p", "tcp", "--sport", fmt.Sprint(port))
				r.nft("flush chain ip filter forward")
				d.stop()
				if stale {
					t.Fatalf("the row of the connection before still answers under id %s", again)
				}
				if again == id {
					return
				}
			}
			t.Fatal("the kernel never gave the same id again: this run shows nothing")
		})
	}
}

func TestRejectedFirstPacketLeavesNoRow(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start()
	r.forward()
	r.nft("add rule ip filter forward dict sessions ct id application NETFLIX reject")
	b := r.Browser()
	b.HTTP3, b.Curves, b.Timeout = true, lab.Classical(), time.Second
	if _, err := b.Get(context.Background(), "https://www.netflix.com/"); err == nil {
		t.Fatal("NETFLIX over QUIC passed")
	}
	// Its first packet was never confirmed: conntrack tells nobody of its end.
	end := time.Now().Add(25 * time.Second)
	for {
		list := r.must("dictctl", "list", "sessions")
		if !strings.Contains(list, ` application "NETFLIX"`) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("rows of connections that never were:\n%s", list)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func TestQUICHelloOverTwoDatagrams(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start()
	r.forward()
	wire := labtest.Capture(t, r.Internet, "eth0")
	for _, family := range []string{"ip", "ip6"} {
		r.nft("add rule " + family + " filter forward dict sessions ct id application NETFLIX reject")
	}
	for _, family := range []int{4, 6} {
		b := r.Browser()
		b.HTTP3, b.Family, b.Timeout = true, family, 2*time.Second
		if _, err := b.Get(context.Background(), "https://www.netflix.com/"); err == nil {
			t.Errorf("IPv%d: NETFLIX over QUIC passed", family)
		}
		if _, err := b.Get(context.Background(), "https://www.youtube.com/"); err != nil {
			t.Errorf("IPv%d: YOUTUBE over QUIC: %v", family, err)
		}
	}
	if _, err := wire.Packets(); err != nil {
		t.Fatal(err)
	}
}

func TestNameInFirstOfManySegments(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start()
	r.forward()
	r.nft("add rule ip filter forward dict sessions ct id application NETFLIX reject with tcp reset")
	for what, cut := range map[string]lab.Cut{
		"name whole in the first segment": lab.CutAfter("www.netflix.com"),
		"name split over two segments":    lab.CutInside("www.netflix.com"),
		"segments of 100 bytes":           lab.CutEvery(100),
	} {
		t.Run(what, func(t *testing.T) {
			wire := labtest.Capture(t, r.Internet, "eth0")
			b := r.Browser()
			b.Cut, b.Gap, b.Timeout = cut, 20*time.Millisecond, 3*time.Second
			if _, err := b.Get(context.Background(), "https://www.netflix.com/"); err == nil {
				t.Error("NETFLIX passed")
			}
			got, err := receivedPayload(wire, "www.netflix.com")
			if err != nil {
				t.Fatal(err)
			}
			if got {
				segments, err := wire.Segments(func(s lab.Segment) bool { return s.Dst.Port() == 443 || s.Src.Port() == 443 })
				t.Errorf("the server received the whole name: %v, %v", segments, err)
				t.Logf("rows:\n%s", r.must("dictctl", "list", "sessions"))
			}
			b.Timeout = 5 * time.Second
			if _, err := b.Get(context.Background(), "https://example.org/"); err != nil {
				t.Errorf("example.org, cut alike: %v", err)
			}
		})
	}
}

func TestDaemonKilled(t *testing.T) {
	r := newRig(t, lab.Config{})
	d := r.start()
	r.forward()
	r.nft("add rule ip filter forward dict sessions ct id application NETFLIX reject with tcp reset")
	r.blocked(4, "https://www.netflix.com/")
	visit, err := r.Browser().Open("https://www.youtube.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer visit.Close()
	if _, err := visit.Get(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	id := r.connection(443)
	d.kill()

	if _, err := visit.Get(context.Background(), ""); err != nil {
		t.Errorf("an open connection ends with the daemon: %v", err)
	}
	r.reaches(4, "https://example.org/")
	r.reaches(6, "https://www.netflix.com/")
	if got := r.field("sessions", id, "application"); got != "YOUTUBE" {
		t.Errorf("the row of an open connection says %q after the daemon died", got)
	}
	if list := r.must("nft", "list", "tables"); !strings.Contains(list, "dictd") {
		t.Errorf("the daemon's table went with it:\n%s", list)
	}
	if _, err := r.try("dictctl", "status"); err == nil {
		t.Error("status answers without a daemon")
	}

	r.start()
	r.blocked(4, "https://www.netflix.com/")
	if got := r.field("sessions", id, "application"); got != "YOUTUBE" {
		t.Errorf("the row of an open connection says %q after the daemon came back", got)
	}
	if _, err := visit.Get(context.Background(), ""); err != nil {
		t.Errorf("an open connection ends as the daemon comes back: %v", err)
	}
}

func TestFailClosed(t *testing.T) {
	r := newRig(t, lab.Config{})
	d := r.start(`fail = "closed"`)
	r.reaches(4, "https://example.org/")
	d.kill()
	wire := labtest.Capture(t, r.Internet, "eth0")
	r.blocked(4, "https://example.org/")
	// The connection before, which was inspected, may come to its end meanwhile.
	passed, err := wire.Segments(func(s lab.Segment) bool {
		return s.Src.Addr() == lab.Client4 && (s.SYN || len(s.Payload) > 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(passed) > 0 {
		t.Errorf("%d packets passed, the first %+v", len(passed), passed[0])
	}
	r.start(`fail = "closed"`)
	r.reaches(4, "https://example.org/")
}

func TestSomebodyElseFlushesTheRuleset(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start()
	r.reaches(4, "https://example.org/")
	if out, err := r.try("nft", "flush", "ruleset"); err != nil {
		t.Logf("nft flush ruleset: %v: %s", err, out)
	}
	r.eventually("the daemon's table is there again", func() error {
		if list := r.must("nft", "list", "tables"); !strings.Contains(list, "dictd") {
			return fmt.Errorf("tables:\n%s", list)
		}
		return nil
	})
	r.forward()
	r.nft("add rule ip filter forward dict sessions ct id application NETFLIX reject with tcp reset")
	r.blocked(4, "https://www.netflix.com/")
	r.reaches(4, "https://example.org/")
}

func TestRowsGoWithTheirConnection(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start()
	visit, err := r.Browser().Open("https://www.youtube.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer visit.Close()
	if _, err := visit.Get(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	id := r.connection(443)
	if got := r.field("sessions", id, "application"); got != "YOUTUBE" {
		t.Fatalf("application is %q\n%s\n%s", got, r.must("dictctl", "list", "sessions"), r.must("dictctl", "why", id))
	}
	r.must("conntrack", "-D", "-p", "tcp", "--dport", "443")
	r.eventually("the row goes", func() error {
		if got := r.field("sessions", id, "application"); got != "" {
			return fmt.Errorf("application is still %q", got)
		}
		return nil
	})
}

func TestSessionsTellApplications(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start()
	r.reaches(4, "https://www.youtube.com/")
	r.reaches(6, "http://www.facebook.com/")
	got := map[string]int{}
	for _, s := range r.sessions() {
		got[s.Application] = s.ServerPort
		if s.Application == "YOUTUBE" && r.field("sessions", fmt.Sprint(s.CtID), "ssl_sni") != "www.youtube.com" {
			t.Errorf("the row of session %d lacks the name", s.CtID)
		}
	}
	for app, port := range map[string]int{"YOUTUBE": 443, "FACEBOOK": 80, "DNS": 53} {
		if got[app] != port {
			t.Errorf("sessions show %s on port %d, want %d: %v", app, got[app], port, got)
		}
	}
}

// TestHintOfThisClientOnly shows that a name one client asked for says nothing
// of another client's connection.
func TestHintOfThisClientOnly(t *testing.T) {
	r := newRig(t, lab.Config{Guest: true})
	r.start()
	site, _ := r.Site("www.youtube.com")
	if _, err := r.Lookup(context.Background(), r.Client, site.Name, 4); err != nil {
		t.Fatal(err)
	}
	for _, who := range []struct {
		ns   *lab.Namespace
		hint string
	}{{r.Client, site.Name}, {r.Guest, ""}} {
		c := openSteady(t, who.ns, r.Lab, site.Name)
		c.host = site.Addr4.String() // no name but that of DNS
		if err := c.get(); err != nil {
			t.Fatal(err)
		}
		id := r.connection(80)
		if got := r.field("sessions", id, "server_dns_hint"); got != who.hint {
			t.Errorf("%s: server_dns_hint is %q, want %q", who.ns.Name(), got, who.hint)
		}
		abort(c.Conn)
		r.must("conntrack", "-D", "-p", "tcp", "--dport", "80")
	}
}
