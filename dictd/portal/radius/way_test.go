// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"

	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/portal"
)

const users = `
bob Cleartext-Password := "héllo wörld"
	Session-Timeout = 3600, Idle-Timeout = 600, Class = 0x0102, Filter-Id = "staff", Acct-Interim-Interval = 90, Port-Limit = 2, Mikrotik-Total-Limit = 20000000, Mikrotik-Total-Limit-Gigawords = 1
ann Cleartext-Password := "x", Calling-Station-Id == "02-00-00-00-77-02", NAS-Identifier == "hotel"
	User-Name = "room 12", ChilliSpot-Max-Total-Octets = 1000000, Mikrotik-Total-Limit = 1000001
eve Cleartext-Password := "x"
	Session-Timeout = 0
`

func newWay(t *testing.T, servers ...Server) *Way {
	t.Helper()
	return New(Config{
		Servers: servers, NAS: "hotel", Groups: []string{"Filter-Id"}, Timeout: 2 * time.Second, Tries: 2, Interim: 5 * time.Minute, Log: slog.New(slog.DiscardHandler),
	})
}

func attempt(name, password string) portal.Attempt {
	return portal.Attempt{Name: name, Secret: password, Addr: netip.MustParseAddr("10.0.0.2"), MAC: [6]byte{2, 0, 0, 0, 0x77, 2}, Session: "s1"}
}

// A real server lets in whom it knows, with what it grants; others it does not, and
// neither where it is dead.
func TestCheck(t *testing.T) {
	f := startServer(t, users)
	w := newWay(t, f.peer())
	g, err := w.Check(t.Context(), attempt("bob", "héllo wörld"))
	if err != nil {
		t.Fatal(err)
	}
	bytes := int64(1<<32 + 20_000_000)
	want := portal.Grant{
		User: "bob", Groups: []string{"staff"}, For: time.Hour, Idle: 10 * time.Minute, Bytes: &bytes, Interim: 90 * time.Second, Devices: 2, Class: [][]byte{{1, 2}},
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Its name for him; and it is asked with the device and the portal's name.
	if g, err := w.Check(t.Context(), attempt("ann", "x")); err != nil || g.User != "room 12" || *g.Bytes != 1_000_000 || g.Interim != 5*time.Minute {
		t.Errorf("ann: %+v, %v", g, err)
	}
	for _, c := range []struct {
		name, password string
		want           error
	}{
		{"bob", "hello", portal.ErrWrong}, {"nobody", "x", portal.ErrWrong}, {"bob", "", portal.ErrWrong}, {"", "x", portal.ErrWrong},
		{"bob\nann", "x", portal.ErrWrong}, {"bob", strings.Repeat("x", 129), portal.ErrWrong}, {"bob", "x\x00", portal.ErrWrong}, {"eve", "x", portal.ErrRefused},
	} {
		if g, err := w.Check(t.Context(), attempt(c.name, c.password)); !errors.Is(err, c.want) {
			t.Errorf("%q %q: %+v, %v, want %v", c.name, c.password, g, err, c.want)
		}
	}
	wrong := f.peer()
	wrong.Secret = []byte("another")
	if g, err := newWay(t, wrong).Check(t.Context(), attempt("bob", "héllo wörld")); !errors.Is(err, portal.ErrUnreachable) {
		t.Errorf("another secret: %+v, %v", g, err)
	}
	f.stop()
	if g, err := w.Check(t.Context(), attempt("bob", "héllo wörld")); !errors.Is(err, portal.ErrUnreachable) {
		t.Errorf("no server: %+v, %v", g, err)
	}
	second := startServer(t, users)
	both := newWay(t, f.peer(), second.peer())
	for range 2 { // the second time the dead one is not waited for
		if _, err := both.Check(t.Context(), attempt("bob", "héllo wörld")); err != nil {
			t.Errorf("the second server: %v", err)
		}
	}
}

// A real server hears of sessions, with figures beyond 32 bits.
func TestFollow(t *testing.T) {
	f := startServer(t, users)
	w := newWay(t, f.peer())
	s := portal.Session{
		ID: "abc", Way: portal.RADIUS, User: "bob", MAC: [6]byte{2, 0, 0, 0, 0x77, 2}, Addr: netip.MustParseAddr("2001:db8::7"), Since: time.Now().Add(-time.Minute),
		Class: [][]byte{{1, 2}, []byte("two")},
	}
	w.Started(t.Context(), s)
	s.Moved = portal.Figures{BytesIn: 5<<32 + 7, BytesOut: 9, PacketsIn: 3, PacketsOut: 2}
	w.Moved(t.Context(), s)
	w.Stopped(t.Context(), s, portal.CauseIdle)
	told, err := f.Told()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Acct-Status-Type = Start\n", "Acct-Status-Type = Interim-Update\n", "Acct-Status-Type = Stop\n", "Acct-Session-Id = \"abc\"\n", "User-Name = \"bob\"\n",
		"Acct-Input-Octets = 7\n", "Acct-Input-Gigawords = 5\n", "Acct-Output-Octets = 9\n", "Acct-Output-Gigawords = 0\n", "Acct-Input-Packets = 3\n",
		"Acct-Session-Time = 60\n", "Acct-Terminate-Cause = Idle-Timeout\n", "Class = 0x0102\n", "Class = 0x74776f\n", "Framed-IPv6-Address = 2001:db8::7\n",
		"Calling-Station-Id = \"02-00-00-00-77-02\"\n", "NAS-Identifier = \"hotel\"\n",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("it has not heard %q:\n%s", want, told)
		}
	}
}

// Answers that anybody could have made are none.
func TestForgedAnswers(t *testing.T) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	w := New(Config{Servers: []Server{{at, at, []byte(secret)}}, Timeout: 200 * time.Millisecond, Tries: 1, Log: slog.New(slog.DiscardHandler)})
	answers := map[string]func(ask *radius.Packet) []byte{
		"unsigned": func(ask *radius.Packet) []byte {
			b, _ := ask.Response(radius.CodeAccessAccept).Encode()
			return b
		},
		"another secret": func(ask *radius.Packet) []byte {
			ask.Secret = []byte("other")
			b, _ := radmsg.Seal(ask.Response(radius.CodeAccessAccept))
			return b
		},
		"to another request": func(ask *radius.Packet) []byte {
			ask.Authenticator[0] ^= 1
			b, _ := radmsg.Seal(ask.Response(radius.CodeAccessAccept))
			return b
		},
		"another id": func(ask *radius.Packet) []byte {
			ask.Identifier++
			b, _ := radmsg.Seal(ask.Response(radius.CodeAccessAccept))
			return b
		},
		"of accounting": func(ask *radius.Packet) []byte {
			b, _ := radmsg.Seal(ask.Response(radius.CodeAccountingResponse))
			return b
		},
		"cut": func(ask *radius.Packet) []byte {
			b, _ := radmsg.Seal(ask.Response(radius.CodeAccessAccept))
			return b[:len(b)-1]
		},
	}
	answer := func(make func(*radius.Packet) []byte) {
		buf := new([radmsg.MaxMessage]byte)[:]
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		ask, err := radius.Parse(buf[:n], []byte(secret))
		if err != nil || len(rfc2869.MessageAuthenticator_Get(ask)) != 16 || rfc2865.UserPassword_GetString(ask) != "x" {
			return
		}
		conn.WriteToUDPAddrPort(make(ask), from)
	}
	for what, make := range answers {
		go answer(make)
		if g, err := w.Check(t.Context(), attempt("bob", "x")); !errors.Is(err, portal.ErrUnreachable) {
			t.Errorf("%s: %+v, %v", what, g, err)
		}
	}
	go answer(func(ask *radius.Packet) []byte {
		b, _ := radmsg.Seal(ask.Response(radius.CodeAccessAccept))
		return b
	})
	if _, err := w.Check(t.Context(), attempt("bob", "x")); err != nil {
		t.Errorf("a good one: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Check(ctx, attempt("bob", "x")); err == nil {
		t.Error("asked although nobody waits")
	}
}

// What an Access-Accept says is read whole, or refused.
func FuzzGrant(f *testing.F) {
	p := radius.New(radius.CodeAccessAccept, []byte(secret))
	_ = rfc2865.SessionTimeout_Set(p, 60)
	_ = rfc2865.FilterID_SetString(p, "staff")
	vsa, _ := radius.NewVendorSpecific(14559, []byte{3, 6, 0, 0, 1, 0, 23, 6, 0, 0, 0, 1})
	p.Add(rfc2865.VendorSpecific_Type, vsa)
	b, _ := p.Encode()
	f.Add(b[20:])
	w := New(Config{Groups: []string{"Filter-Id", "Class"}})
	f.Fuzz(func(t *testing.T, b []byte) {
		attributes, err := radius.ParseAttributes(b)
		if err != nil {
			return
		}
		p := radius.New(radius.CodeAccessAccept, []byte(secret))
		p.Attributes = attributes
		g, err := w.grant(p, "bob")
		if err != nil {
			return
		}
		if _, ok := radmsg.Name(g.User); !ok || g.For < 0 || g.Idle < 0 || g.Devices < 0 || g.Bytes != nil && *g.Bytes < 0 || len(g.Groups) > radmsg.MaxGroups || len(g.Class) > maxClasses {
			t.Errorf("%+v", g)
		}
	})
}
