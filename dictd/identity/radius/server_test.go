// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"nftdict/dictd/internal/radmsg"
	"nftdict/internal/need"
)

var secret = []byte("testing123")

var nas = netip.MustParseAddr("127.0.0.1")

// request builds an Accounting-Request.
func request(t testing.TB, secret []byte, status rfc2866.AcctStatusType, set func(*radius.Packet)) []byte {
	t.Helper()
	p := radius.New(radius.CodeAccountingRequest, secret)
	if status != 0 {
		if err := rfc2866.AcctStatusType_Set(p, status); err != nil {
			t.Fatal(err)
		}
	}
	if set != nil {
		set(p)
	}
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// somebody sets what tells of bob.
func somebody(p *radius.Packet) {
	_ = rfc2866.AcctSessionID_SetString(p, "s1")
	_ = rfc2865.UserName_SetString(p, "bob")
	_ = rfc2865.CallingStationID_SetString(p, "02-00-00-00-77-02")
	_ = rfc2865.FramedIPAddress_Set(p, net.IPv4(10, 0, 0, 2))
	_ = rfc2865.FilterID_AddString(p, "staff")
	_ = rfc2865.Class_AddString(p, "sales")
	_ = rfc2865.Class_Add(p, []byte{0xff, 0xfe, 1})
}

// rig is a Server that keeps what it was told.
type rig struct {
	*Server
	told []Account
	fail error
}

func newRig() *rig {
	r := &rig{}
	r.Server = &Server{cfg: Config{
		Clients: radmsg.Clients{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: secret}, {Prefix: netip.MustParsePrefix("127.0.0.9/32"), Secret: []byte("other")}},
		Handle: func(a *Account) error {
			r.told = append(r.told, *a)
			return r.fail
		},
	}, groups: []radius.Type{rfc2865.FilterID_Type, rfc2865.Class_Type}}
	return r
}

func TestAnswer(t *testing.T) {
	r := newRig()
	b := request(t, secret, rfc2866.AcctStatusType_Value_Start, somebody)
	out := r.answer(b, nas)
	if !radius.IsAuthenticResponse(out, b, secret) || radius.Code(out[0]) != radius.CodeAccountingResponse || out[1] != b[1] {
		t.Errorf("answered %x", out)
	}
	want := []Account{{
		Kind: Start, By: "radius 127.0.0.1 ", Session: "s1", User: "bob", MAC: [6]byte{2, 0, 0, 0, 0x77, 2},
		Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.2")}, Groups: []string{"staff", "sales"},
	}}
	if diff := cmp.Diff(want, r.told, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	// What could not be taken in is not answered.
	r.fail = errors.New("full")
	if out := r.answer(b, nas); out != nil || r.Stats().LastError != "full" {
		t.Errorf("answered %x", out)
	}
	r.fail = nil
	// What tells of nobody is answered, and not taken in.
	told := len(r.told)
	for what, set := range map[string]func(*radius.Packet){
		"no session":        func(p *radius.Packet) { somebody(p); p.Del(rfc2866.AcctSessionID_Type) },
		"no user":           func(p *radius.Packet) { somebody(p); p.Del(rfc2865.UserName_Type) },
		"controls":          func(p *radius.Packet) { somebody(p); _ = rfc2865.UserName_SetString(p, "bob\x1b[2J") },
		"not UTF-8":         func(p *radius.Packet) { somebody(p); _ = rfc2865.UserName_SetString(p, "bob\xff") },
		"no part of a path": func(p *radius.Packet) { somebody(p); _ = rfc2865.UserName_SetString(p, "..") },
		"nobody's": func(p *radius.Packet) {
			somebody(p)
			p.Del(rfc2865.CallingStationID_Type)
			p.Del(rfc2865.FramedIPAddress_Type)
		},
		"choose one": func(p *radius.Packet) {
			somebody(p)
			p.Del(rfc2865.CallingStationID_Type)
			_ = rfc2865.FramedIPAddress_Set(p, net.IPv4(255, 255, 255, 254))
		},
		"many's": func(p *radius.Packet) {
			somebody(p)
			p.Del(rfc2865.FramedIPAddress_Type)
			_ = rfc2865.CallingStationID_SetString(p, "ff-ff-ff-ff-ff-ff")
		},
		"other state": func(p *radius.Packet) { somebody(p); _ = rfc2866.AcctStatusType_Set(p, 15) },
		"long user":   func(p *radius.Packet) { somebody(p); _ = rfc2865.UserName_SetString(p, strings.Repeat("b", 129)) },
	} {
		if out := r.answer(request(t, secret, rfc2866.AcctStatusType_Value_Start, set), nas); out == nil || len(r.told) != told {
			t.Errorf("%s: answered %x, told %+v", what, out, r.told[told:])
		}
	}
	for status, kind := range map[rfc2866.AcctStatusType]Kind{
		rfc2866.AcctStatusType_Value_InterimUpdate: Interim, rfc2866.AcctStatusType_Value_Stop: Stop,
		rfc2866.AcctStatusType_Value_AccountingOn: Restart, rfc2866.AcctStatusType_Value_AccountingOff: Restart,
	} {
		if r.answer(request(t, secret, status, somebody), nas) == nil || r.told[len(r.told)-1].Kind != kind {
			t.Errorf("%v: told %+v", status, r.told[len(r.told)-1])
		}
	}
}

// headerBytes is the size of a message without attributes.
const headerBytes = 20

// sign puts a Message-Authenticator first.
func sign(b []byte, secret []byte) []byte {
	b = slices.Concat(b[:headerBytes], []byte{byte(rfc2869.MessageAuthenticator_Type), 18}, make([]byte, 16), b[headerBytes:])
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	m := hmac.New(md5.New, secret)
	m.Write(b[:4])
	m.Write(make([]byte, 16))
	m.Write(b[headerBytes:])
	copy(b[headerBytes+2:], m.Sum(nil))
	return seal(b, secret)
}

// seal makes the authenticator.
func seal(b, secret []byte) []byte {
	h := md5.New()
	h.Write(b[:4])
	h.Write(make([]byte, 16))
	h.Write(b[headerBytes:])
	h.Write(secret)
	copy(b[4:], h.Sum(nil))
	return b
}

// Clients and sessions whose names are long are told apart, by names that are text.
func TestLongNames(t *testing.T) {
	r := newRig()
	r.cfg.Clients = radmsg.Clients{{Prefix: netip.MustParsePrefix("::/0"), Secret: secret}}
	seen := make(map[string]bool)
	for _, end := range []string{"1", "2"} {
		long := strings.Repeat("e", 50) + strings.Repeat("é", 60) + end
		r.answer(request(t, secret, rfc2866.AcctStatusType_Value_Start, func(p *radius.Packet) {
			somebody(p)
			_ = rfc2865.NASIdentifier_SetString(p, long)
			_ = rfc2866.AcctSessionID_SetString(p, long)
		}), netip.MustParseAddr("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"))
		a := &r.told[len(r.told)-1]
		for _, name := range []string{a.By, a.Session} {
			if seen[name] || !utf8.ValidString(name) || len(name) > radmsg.MaxText {
				t.Errorf("%q", name)
			}
			seen[name] = true
		}
	}
}

// What is not made with the secret is not answered.
func TestForged(t *testing.T) {
	r := newRig()
	good := request(t, secret, rfc2866.AcctStatusType_Value_Start, somebody)
	changed := slices.Clone(good)
	changed[len(changed)-1] ^= 1
	signed := sign(good, secret)
	for what, b := range map[string][]byte{
		"another secret": request(t, []byte("other"), rfc2866.AcctStatusType_Value_Start, somebody), "changed": changed, "cut": good[:len(good)-1], "empty": nil,
		"short": good[:19], "another's Message-Authenticator": seal(sign(good, []byte("other")), secret),
		"short Message-Authenticator": seal(append(slices.Clone(good[:headerBytes]), byte(rfc2869.MessageAuthenticator_Type), 2), secret)[:headerBytes+2],
	} {
		if out := r.answer(b, nas); out != nil || len(r.told) > 0 {
			t.Errorf("%s: answered %x, told %+v", what, out, r.told)
		}
	}
	access := slices.Clone(good)
	access[0] = byte(radius.CodeAccessRequest)
	if r.answer(access, nas) != nil || r.answer(good, netip.MustParseAddr("10.0.0.1")) != nil || r.answer(good, netip.MustParseAddr("127.0.0.9")) != nil {
		t.Error("answered what is none, a stranger, or with another's secret")
	}
	if s := r.Stats(); s.Strangers != 1 || s.Forged != 9 || s.Taken != 0 {
		t.Errorf("counted %+v", s)
	}
	if r.answer(append(signed, "behind it"...), nas) == nil || len(r.told) != 1 {
		t.Error("a signed one is refused")
	}
}

// A real client gets its answers, and says it again where there is none.
func TestRadclient(t *testing.T) {
	path := need.Program(t, "radclient")
	var mu sync.Mutex
	var told []Account
	refuse := 1
	s, err := Listen(Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Clients: radmsg.Clients{{Prefix: netip.MustParsePrefix("127.0.0.1/32"), Secret: secret}}, Groups: []string{"Filter-Id"},
		Handle: func(a *Account) error {
			mu.Lock()
			defer mu.Unlock()
			if refuse--; refuse >= 0 {
				return errors.New("not now")
			}
			told = append(told, *a)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	}()
	say := func(secret, text string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, "-r", "3", "-t", "1", s.conns[0].LocalAddr().String(), "acct", secret)
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("%s", out)
		}
		return err
	}
	if err := say(string(secret), "Acct-Status-Type = Start\nAcct-Session-Id = a1\nUser-Name = bob\nCalling-Station-Id = \"02-00-00-00-77-02\"\nFramed-IP-Address = 10.0.0.2\nFramed-IPv6-Address = fd00::2\nFilter-Id = staff\nNAS-Identifier = ap1\nMessage-Authenticator = 0x00\n"); err != nil {
		t.Error(err)
	}
	if err := say("wrong", "Acct-Status-Type = Stop\nAcct-Session-Id = a1\n"); err == nil {
		t.Error("a wrong secret is answered")
	}
	if err := say(string(secret), "Acct-Status-Type = Accounting-Off\nNAS-Identifier = ap1\n"); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	const by = "radius 127.0.0.1 ap1"
	want := []Account{{Kind: Start, By: by, Session: "a1", User: "bob", MAC: [6]byte{2, 0, 0, 0, 0x77, 2}, Groups: []string{"staff"},
		Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")}}, {Kind: Restart, By: by}}
	if diff := cmp.Diff(want, told, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Whatever comes is refused, or bounded.
func FuzzAnswer(f *testing.F) {
	for _, status := range []rfc2866.AcctStatusType{0, 1, 2, 3, 7} {
		f.Add(request(f, secret, status, somebody))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newRig()
		r.answer(b, nas)
		if len(b) >= headerBytes && len(b) <= radmsg.MaxMessage { // sealed, so that it is read
			b = slices.Clone(b)
			b[0] = byte(radius.CodeAccountingRequest)
			binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
			r.answer(seal(b, secret), nas)
		}
		for _, a := range r.told {
			if len(a.By) > radmsg.MaxText || len(a.Session) > radmsg.MaxText || len(a.Groups) > radmsg.MaxGroups || len(a.Addrs) > radmsg.MaxAddrs || a.Delay > maxDelay {
				t.Errorf("told %+v", a)
			}
			if _, ok := radmsg.Name(a.User); a.Kind <= Interim && !ok {
				t.Errorf("user %q", a.User)
			}
		}
	})
}
