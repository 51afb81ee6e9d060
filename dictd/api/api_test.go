// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/neighbour"
	"nftdict/dictd/offload"
	"nftdict/dictd/portal"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
	"nftdict/dictd/session"
)

// source is a daemon with a few sessions.
type source struct {
	*session.Table
	who *identity.Directory
	log *event.Log
	quo *quota.Manager
	dic Tables
	por *portal.Keeper
}

func (s source) Portal() *portal.Keeper { return s.por }

// portalOf has an account, a batch and a session.
func portalOf(t testing.TB, who *identity.Directory) *portal.Keeper {
	t.Helper()
	k, err := portal.New(portal.Config{
		Directory: who, Settings: portal.Settings{Ways: []string{portal.Click, portal.Voucher}, Session: time.Hour}, Volume: plenty{}, Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	_, entered := k.Enter(t.Context(), portal.From{Addr: netip.MustParseAddr("10.0.0.9")}, portal.Credentials{Way: portal.Click})
	bytes := int64(20e6)
	_, made := k.MakeVouchers(portal.Batch{Name: "may", Count: 2, Bytes: &bytes})
	if err := errors.Join(entered, made, k.SetAccount(portal.LocalAccount{Name: "al", Groups: []string{"staff"}}, "sesame")); err != nil {
		t.Fatal(err)
	}
	return k
}

// plenty is a portal.Volume that never ends.
type plenty struct{}

func (plenty) Grant(string, int64) error { return nil }
func (plenty) Left(string) (int64, bool) { return 1e6, true }
func (plenty) All() map[string]int64     { return map[string]int64{"guest-020000000009": 1e6} }

func (s source) Tables() Tables { return s.dic }

// Flows are two connections, one of them in a flowtable.
func (s source) Flows(f func(*Flow) bool) error {
	a, b := netip.MustParseAddr("192.168.77.2"), netip.MustParseAddr("198.51.100.7")
	for _, one := range []Flow{
		{Connection: Connection{CtID: 1, Family: 4, IPProtocol: 6, Client: a, Server: b, ServerPort: 443}, Application: "YOUTUBE", Category: "streaming", Final: true, Username: "zoe", State: FlowSoftware, In: Traffic{Bytes: 9000, Packets: 7}, Age: 3},
		{Connection: Connection{CtID: 2, Family: 4, IPProtocol: 17, Client: a, Server: b, ServerPort: 53}, Application: "DNS", State: FlowSlow, Out: Traffic{Bytes: 90, Packets: 1}, Age: 2},
	} {
		if !f(&one) {
			break
		}
	}
	return nil
}

// Recall knows the connections of zoe.
func (s source) Recall(w ...offload.Whom) (int, error) {
	if w[0].Name == "zoe" {
		return 1, nil
	}
	return 0, nil
}

func (s source) Quotas() *quota.Manager { return s.quo }

// quotas have two plans for group "staff" and one for user zoe.
func quotas(t testing.TB, who *identity.Directory, log *event.Log) *quota.Manager {
	t.Helper()
	plans, err := plan.Parse([]plan.Spec{
		{Name: "daily", For: []string{"user zoe", "group staff"}, Volume: "1000", Period: "day"},
		{Name: "tv", For: []string{"group staff"}, Time: "1h", Period: "none"},
	}, plan.Defaults{Zone: time.UTC, Throttle: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := quota.New(quota.Config{
		Store: dicttest.NewStandard(t), Directory: who, Plans: plans, Clock: time.Now, Events: log, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func (s source) Events() *event.Log { return s.log }

func (s source) Directory() *identity.Directory { return s.who }

func (s source) Status() *Status {
	return &Status{
		Version: "test", Fail: "open", Sessions: s.Stats(), Queues: []Queue{{}}, Tables: map[string]Table{"hosts": {}},
		Registers: []Register{{For: "countries"}}, Warnings: []string{}, Events: s.log.Stats(), Offload: offload.Status{State: "off", Devices: []offload.Device{}},
	}
}
func (s source) Sessions() []*session.Session { return s.All() }

type noRows struct{}

func (noRows) Delete(uint32)                {}
func (noRows) Write(*session.Session, bool) {}
func (noRows) Name(*session.Session)        {}
func (noRows) Tell([]*session.Session)      {}
func (noRows) Renew([]uint32)               {}
func (noRows) Settle(*session.Session)      {}
func (noRows) Wanted(uint32) bool           { return false }

type noKernel struct{}

func (noKernel) Drain() error { return nil }
func (noKernel) Lookup(conntrack.Tuple, uint16) (conntrack.Flow, error) {
	return conntrack.Flow{}, conntrack.ErrNotFound
}
func (noKernel) Dump(func(*conntrack.Flow)) error { return nil }

// directory knows one device with one address.
func directory(t testing.TB) *identity.Directory {
	t.Helper()
	d, err := identity.New(identity.Config{
		Store: dicttest.NewStandard(t), Hosts: 10, Addresses: 10, Age: time.Hour, State: identity.OpenState(""), Clock: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Neighbours(&neighbour.Update{Neighbours: []neighbour.Neighbour{
		{Addr: netip.MustParseAddr("10.0.0.9"), MAC: [6]byte{2, 0, 0, 0, 0, 9}, Interface: "lan0"},
	}})
	return d
}

// newSource returns a daemon with n sessions, every other one of DNS, whose ids
// begin at 1.
func newSource(t testing.TB, n int) source {
	t.Helper()
	table := session.New(session.Config{Kernel: noKernel{}, Rows: noRows{}, Limit: n + 1, Now: time.Now()})
	c := classifier.New(classifier.Options{})
	for i := range n {
		from := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(i))
		to := netip.MustParseAddrPort("192.0.2.1:53")
		s, _, _ := table.Resolve(&session.Packet{ID: uint32(i + 1), First: true, Tuple: conntrack.NewTuple(17, from, to)}, time.Now())
		if i%2 == 0 {
			query := append([]byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 7}, "example\x00\x00\x01\x00\x01"...)
			c.Begin(&s.Class, s.Endpoints(), time.Now())
			c.Inspect(&s.Class, &classifier.Packet{Family: 4, Proto: 17, Src: from.Addr(), Dst: to.Addr(), SrcPort: from.Port(), DstPort: 53, Payload: query}, classifier.Original, time.Now())
		}
		s.Unlock()
	}
	dic := dicttest.NewStandard(t)
	name, err := dict.StringValue("<b>printer</b>")
	if err == nil {
		err = dic.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(netip.MustParseAddr("10.0.0.9")), Cells: []dict.Cell{{Field: "hostname", Value: name}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	who, log := directory(t), event.New(0, time.Now)
	return source{table, who, log, quotas(t, who, log), dic, portalOf(t, directory(t))}
}

// serve runs a server of newSource.
func serve(t *testing.T, n int) (path string) {
	t.Helper()
	path, _ = serveSource(t, newSource(t, n), nil)
	return path
}

// serveSource runs a server until the test ends.
func serveSource(t *testing.T, src Source, rights *Rights) (path string, srv *Server) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "dictd.sock")
	return path, serveAt(t, path, src, rights)
}

// serveAt runs a server at a path until the test ends.
func serveAt(t *testing.T, path string, src Source, rights *Rights, tune ...func(*Server)) *Server {
	t.Helper()
	srv, err := Listen(path, src, rights)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tune {
		f(srv)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket stays: %v", err)
		}
	})
	return srv
}

func TestClient(t *testing.T) {
	path := serve(t, 100)
	c := NewClient(path)
	status, err := c.Status(t.Context())
	if err != nil || status.Version != "test" || status.Sessions.Sessions != 100 {
		t.Fatalf("status %+v, %v", status, err)
	}
	count := func(f Filter) int {
		n := 0
		for s, err := range c.Sessions(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Application != "" && s.Application != "DNS" {
				t.Errorf("%+v", s)
			}
			n++
		}
		return n
	}
	for _, f := range []struct {
		Filter
		want int
	}{{Filter{}, 100}, {Filter{Application: "dns"}, 50}, {Filter{Limit: 7}, 7}, {Filter{Application: "NETFLIX"}, 0}} {
		if n := count(f.Filter); n != f.want {
			t.Errorf("%+v: %d sessions, want %d", f.Filter, n, f.want)
		}
	}
	for range c.Sessions(t.Context(), Filter{}) {
		break // the rest is left unread
	}
	why, err := c.Why(t.Context(), 1)
	if err != nil || why.Application != "DNS" || len(why.Evidence) == 0 || why.CtID != 1 {
		t.Errorf("why %+v, %v", why, err)
	}
	var e *Error
	if _, err := c.Why(t.Context(), 4711); !errors.As(err, &e) || e.Status != http.StatusNotFound || e.Remedy == "" {
		t.Errorf("why of nothing: %v", err)
	}
}

func TestAbsent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dictd.sock")
	if _, err := NewClient(path).Status(t.Context()); !IsAbsent(err) {
		t.Errorf("no socket: %v", err)
	}
	// A daemon was killed and left its socket.
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	if _, err := NewClient(path).Status(t.Context()); !IsAbsent(err) {
		t.Errorf("a socket without a daemon: %v", err)
	}
	srv, err := Listen(path, source{}, nil)
	if err != nil {
		t.Fatalf("listen over the socket of a dead daemon: %v", err)
	}
	defer srv.Close()
	fi, err := os.Lstat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	if _, err := Listen(path, source{}, nil); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("a second daemon: %v", err)
	}
}

func TestListenReplacesSocketsOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dictd.sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, source{}, nil); err == nil {
		t.Fatal("a file was replaced")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

func TestRefusals(t *testing.T) {
	path := serve(t, 1)
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 404}, {"GET", "/v2/status", 404}, {"POST", "/v1/status", 405}, {"DELETE", "/v1/sessions", 405},
		{"GET", "/v1/sessions?limit=x", 400}, {"GET", "/v1/sessions/x/why", 400}, {"GET", "/v1/sessions/4294967296/why", 400},
		{"GET", "/v1/sessions/99/why", 404}, {"GET", "/v1/sessions/0x1/why", 200},
		{"GET", "/v1/sessions?aplication=DNS", 400}, {"GET", "/v1/sessions?after=-1", 400}, {"GET", "/v1/status?x=1", 400},
		{"GET", "/v1/sessions?a=%zz", 400}, {"GET", "/v1//status", 404}, {"GET", "/v1/status/", 404}, {"GET", "/v1/users/../status", 404},
		{"GET", "/v1/users/%2e%2e", 404}, {"GET", "/v1/users/a%2fb", 404}, {"PUT", "/v1/users/%2e%2e", 400}, {"OPTIONS", "/v1/status", 405}, {"HEAD", "/v1/status", 200},
		{"GET", "/v1/hosts/10.0.0.9", 200}, {"GET", "/v1/hosts/::ffff:10.0.0.9", 200}, {"GET", "/v1/hosts/10.0.0.8", 404}, {"GET", "/v1/hosts/x", 400},
		{"GET", "/v1/devices/02:00:00:00:00:09", 200}, {"GET", "/v1/devices/10.0.0.9", 200}, {"GET", "/v1/devices/x", 400}, {"GET", "/v1/users/al", 404},
		{"GET", "/v1/hosts?after=x", 400}, {"GET", "/v1/devices?after=x", 400}, {"GET", "/v1/openapi.json", 200}, {"GET", "/v1/events?kind=x", 400}, {"GET", "/v1/events?after=x", 400},
	} {
		req, err := http.NewRequest(c.method, "http://dictd"+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d: %s", c.method, c.path, resp.StatusCode, c.status, body)
		}
		if c.status >= 400 && c.method != "HEAD" && (!strings.Contains(string(body), `"error":`) || !strings.Contains(string(body), `"remedy":`)) {
			t.Errorf("%s %s: %s", c.method, c.path, body)
		}
	}
}

func TestErrorText(t *testing.T) {
	var err error = fmt.Errorf("x: %w", &Error{Status: 404, Text: "session 5: does not exist"})
	if err.Error() != "x: session 5: does not exist" {
		t.Error(err)
	}
}
