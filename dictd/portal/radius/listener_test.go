// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"nftdict/dict"
	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/portal"
	"nftdict/internal/need"
)

// some are sessions, one of them not by RADIUS, and one that ends before it is ended.
type some struct {
	mu  sync.Mutex
	all []portal.Session
	did []string
}

func newSome() *some {
	a := netip.MustParseAddr
	return &some{all: []portal.Session{
		{ID: "one", Way: portal.RADIUS, User: "bob", MAC: [6]byte{2, 0, 0, 0, 0, 1}, Addr: a("10.0.0.1")},
		{ID: "two", Way: portal.RADIUS, User: "bob", MAC: [6]byte{2, 0, 0, 0, 0, 2}, Addr: a("fd00::2")},
		{ID: "gone", Way: portal.RADIUS, User: "bob", MAC: [6]byte{2, 0, 0, 0, 0, 4}, Addr: a("10.0.0.4")},
		{ID: "three", Way: portal.Account, User: "bob", MAC: [6]byte{2, 0, 0, 0, 0, 3}, Addr: a("10.0.0.3")},
	}}
}

func (s *some) Sessions() []portal.Session { return s.all }

func (s *some) End(id string, why portal.Cause) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "gone" {
		return dict.ErrNotExist
	}
	s.did = append(s.did, fmt.Sprintf("end %s %s", id, why))
	return nil
}

func (s *some) Change(id string, g portal.Grant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, fmt.Sprintf("change %s %v %v", id, g.For, g.Groups))
	return nil
}

// taken returns what was done since it was asked last.
func (s *some) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.Join(s.did, ", ")
	s.did = nil
	return text
}

func newListener(t testing.TB, s Sessions) *Listener {
	t.Helper()
	l, err := Listen(ListenerConfig{
		Listen: []netip.AddrPort{netip.AddrPortFrom(loopback, 0)}, Clients: radmsg.Clients{{Prefix: netip.PrefixFrom(loopback, 32), Secret: []byte(secret)}},
		Groups: []string{"Filter-Id"}, Sessions: s, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A real client ends and changes the sessions that it names, and no others.
func TestRadclient(t *testing.T) {
	path := need.Program(t, "radclient")
	s := newSome()
	l := newListener(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for _, c := range []struct {
		kind, secret, text string
		done, says         string // says is in the answer, "" where there is none
	}{
		{"disconnect", secret, `Acct-Session-Id = one`, "end one server", "Disconnect-ACK"},
		{"disconnect", secret, `User-Name = bob`, "end one server, end two server", "Disconnect-ACK"},
		{"disconnect", secret, `User-Name = bob, Calling-Station-Id = "02:00:00:00:00:02"`, "end two server", "Disconnect-ACK"},
		{"disconnect", secret, `Framed-IPv6-Address = fd00::2`, "end two server", "Disconnect-ACK"},
		{"disconnect", secret, `Acct-Session-Id = gone`, "", "Session-Context-Not-Found"},
		{"disconnect", secret, `Acct-Session-Id = three`, "", "Session-Context-Not-Found"},
		{"disconnect", secret, `User-Name = bob, Acct-Session-Id = four`, "", "Session-Context-Not-Found"},
		{"disconnect", secret, `Session-Timeout = 4`, "", "Missing-Attribute"},
		{"disconnect", "wrong", `Acct-Session-Id = one`, "", ""},
		{"coa", secret, `Acct-Session-Id = one, Session-Timeout = 60, Filter-Id = slow`, "change one 1m0s [slow]", "CoA-ACK"},
		{"coa", secret, `Acct-Session-Id = one`, "", "Missing-Attribute"},
		{"coa", secret, `User-Name = bob, Session-Timeout = 0`, "", "Error-Cause = 407"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		cmd := exec.CommandContext(ctx, path, "-x", "-r", "1", "-t", "1", l.conns[0].LocalAddr().String(), c.kind, c.secret)
		cmd.Stdin = strings.NewReader(c.text + ", Message-Authenticator = 0x00\n")
		out, _ := cmd.CombinedOutput()
		cancel()
		_, answer, _ := strings.Cut(string(out), "Received ")
		if did := s.taken(); did != c.done || (answer == "") != (c.says == "") || !strings.Contains(strings.ReplaceAll(answer, "Invalid-Attribute-Value", "407"), c.says) {
			t.Errorf("%s %q: did %q, want %q; answered\n%s", c.kind, c.text, did, c.done, out)
		}
	}
}

// What is forged, unsigned, old or comes again does nothing.
func TestForgedRequests(t *testing.T) {
	s := newSome()
	l := newListener(t, s)
	from, now := netip.AddrPortFrom(loopback, 9), time.Now()
	request := func(set func(*radius.Packet)) *radius.Packet {
		p := radius.New(radius.CodeDisconnectRequest, []byte(secret))
		_ = rfc2866.AcctSessionID_SetString(p, "one")
		if set != nil {
			set(p)
		}
		return p
	}
	sealed := func(set func(*radius.Packet)) []byte {
		b, err := radmsg.Seal(request(set))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := sealed(nil)
	unsigned, _ := request(nil).Encode()
	old := sealed(func(p *radius.Packet) { _ = rfc2869.EventTimestamp_Set(p, now.Add(-time.Hour)) })
	other := sealed(func(p *radius.Packet) { p.Secret = []byte("other") })
	access := sealed(func(p *radius.Packet) { p.Code = radius.CodeAccountingRequest })
	for what, b := range map[string][]byte{"unsigned": unsigned, "old": old, "another secret": other, "accounting": access, "cut": good[:len(good)-2], "empty": nil} {
		if out := l.answer(b, from, now); out != nil || s.taken() != "" {
			t.Errorf("%s is answered: %x", what, out)
		}
	}
	if out := l.answer(good, netip.MustParseAddrPort("127.0.0.2:9"), now); out != nil {
		t.Error("a stranger is answered")
	}
	first := l.answer(good, from, now)
	if first == nil || s.taken() != "end one server" {
		t.Fatal("a good one does nothing")
	}
	asked := [16]byte(good[4:20])
	if radmsg.Answer(first, asked, []byte(secret)) != radmsg.Signed {
		t.Error("its answer proves nothing")
	}
	if again := l.answer(good, from, now.Add(time.Second)); string(again) != string(first) || s.taken() != "" {
		t.Error("what comes again is done again")
	}
	if got := l.Stats(); got.Forged != 6 || got.Strangers != 1 || got.Ended != 1 {
		t.Errorf("counted %+v", got)
	}
}

// Answers that are kept are bounded.
func TestMemory(t *testing.T) {
	m, now := newMemory(), time.Now()
	for i := range 2 * rememberMost {
		m.put(told{from: netip.AddrPortFrom(loopback, uint16(i))}, nil, now)
	}
	if len(m.all) != rememberMost {
		t.Errorf("%d are kept", len(m.all))
	}
	m.put(told{identifier: 1}, nil, now.Add(rememberFor))
	if len(m.all) != 1 {
		t.Errorf("%d are kept for longer than they should", len(m.all))
	}
}

// Whatever comes is answered or not, and means sessions by RADIUS alone.
func FuzzRequest(f *testing.F) {
	p := radius.New(radius.CodeCoARequest, []byte(secret))
	_ = rfc2865.UserName_SetString(p, "bob")
	_ = rfc2865.SessionTimeout_Set(p, 60)
	b, _ := radmsg.Seal(p)
	f.Add(b[20:], true)
	f.Fuzz(func(t *testing.T, b []byte, change bool) {
		s := newSome()
		l := &Listener{cfg: ListenerConfig{Clients: radmsg.Clients{{Prefix: netip.PrefixFrom(loopback, 32), Secret: []byte(secret)}}, Sessions: s}, way: New(Config{}), said: newMemory()}
		from := netip.AddrPortFrom(loopback, 9)
		l.answer(b, from, time.Now())
		attributes, err := radius.ParseAttributes(b)
		if err != nil {
			return
		}
		p := radius.New(radius.CodeDisconnectRequest, []byte(secret))
		if change {
			p.Code = radius.CodeCoARequest
		}
		p.Attributes = attributes
		sealed, err := radmsg.Seal(p)
		if err != nil {
			return
		}
		l.answer(sealed, from, time.Now())
		if did := s.taken(); strings.Contains(did, "three") {
			t.Error(errors.New(did))
		}
	})
}
