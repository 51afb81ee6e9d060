// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
)

// knock connects to a socket and sends a text.
func knock(t *testing.T, path, text string) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Logf("write: %v", err) // it was closed meanwhile
	}
	return conn
}

// status reads the status of an answer.
func status(t *testing.T, conn net.Conn) int {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode // the body, of streams without end, is left unread
}

func TestBodies(t *testing.T) {
	s := newServer(newSource(t, 0))
	for _, c := range []struct {
		kind, body string
		status     int
		want       string
	}{
		{"", `{"usergroups":["a"]}`, 200, `"usergroups":["a"]`},
		{"application/json; charset=utf-8", `{"usergroups":[]}`, 200, ""},
		{"text/plain", `{"usergroups":[]}`, 415, "not understood"},
		{"x;;", `{"usergroups":[]}`, 415, "not understood"},
		{"", ``, 400, "body: "},
		{"", `{`, 400, "body: "},
		{"", `[]`, 400, "an array: want an object"},
		{"", `null`, 400, "want an object"},
		{"", `{"usergroups":[]} {}`, 400, "body: "},
		{"", `{"usergroups":[],"usergroups":["admin"]}`, 400, `member "usergroups": there twice`},
		{"", `{"usergroups":[],"UserGroups":["admin"]}`, 400, `member "UserGroups": there twice`},
		{"", `{"usergroups":[],"username":"x"}`, 400, `unknown field`},
		{"", `{"usergroups":"a"}`, 400, `cannot unmarshal`},
		{"", `{"usergroups":null}`, 400, `usergroups: missing`},
		{"", "{\"usergroups\":[\"a\xff\"]}", 400, "body: "},
		{"", `{"usergroups":["a\u0000"]}`, 400, `group`},
		{"", `{"usergroups":["a\ud800"]}`, 200, ""}, // the replacement character
		{"", strings.Repeat(`{"usergroups":[`, 3000), 400, "body: "},
		{"", `{"usergroups":["` + strings.Repeat("x", 1000) + `"]}`, 400, "too long"},
		{"", `{"usergroups":["` + strings.Repeat("x", maxBody) + `"]}`, 413, "longer than 65536 bytes"},
	} {
		r := httptest.NewRequest("PUT", "http://dictd/v1/users/bob", strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, r.WithContext(withPeer(t.Context(), &Peer{})))
		if body := w.Body.String(); w.Code != c.status || !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), c.want) {
			t.Errorf("%.60s: %d %s, want %d %s", c.body, w.Code, body, c.status, c.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	path := serve(t, 0)
	for text, want := range map[string]int{
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n": 431,
		"GET /v1/status HTTP/1.1\r\n\r\n":                                                                         400, // no host
		"GET /v1/status HTTP/9.9\r\nHost: x\r\n\r\n":                                                              505,
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n":                                                    400,
		"GET http://elsewhere/v1/status HTTP/1.1\r\nHost: x\r\n\r\n":                                              200, // the socket decides
		"GET /v1/users/%00 HTTP/1.1\r\nHost: x\r\n\r\n":                                                           404,
		"GET /v1/users/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n":                                                        404,
		"PUT /v1/users/%1b%5b HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n{\"usergroups\":[]}":               400,
		"PUT /v1/users/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
		"PUT /v1/users/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n":          400,
		"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n":                                                    404,
		"CONNECT /v1/status HTTP/1.1\r\nHost: x\r\n\r\n":                                                          405,
		"BREW /v1/status HTTP/1.1\r\nHost: x\r\n\r\n":                                                             405,
	} {
		if got := status(t, knock(t, path, text)); got != want {
			t.Errorf("%.60q: status %d, want %d", text, got, want)
		}
	}
}

// TestManyConnections takes all places, as root and as somebody else.
func TestManyConnections(t *testing.T) {
	g := newPlaces(maxConnections, maxOfUser, keptForRoot)
	for i := range maxOfUser {
		if !g.enter(1000) {
			t.Fatalf("connection %d of a user", i)
		}
	}
	if g.enter(1000) {
		t.Error("one more of the same user")
	}
	for uid := range uint32(maxConnections - maxOfUser) {
		if !g.enter(2000 + uid) {
			t.Fatalf("user %d", uid)
		}
	}
	if g.enter(5000) {
		t.Error("one more of anybody")
	}
	for i := range keptForRoot {
		if !g.enter(0) {
			t.Fatalf("root's %d", i)
		}
	}
	if g.enter(0) {
		t.Error("one more of root")
	}
	g.exit(1000)
	for range keptForRoot {
		g.exit(0)
	}
	if !g.enter(1000) || g.total != maxConnections {
		t.Errorf("a place that was given back: %d", g.total)
	}

	path := serve(t, 0)
	var all []*net.UnixConn
	turned := 0
	for range maxConnections + keptForRoot + 8 {
		all = append(all, knock(t, path, ""))
	}
	// One that was turned away is told at once, before it asks.
	for _, conn := range all[len(all)-8:] {
		if status(t, conn) == http.StatusServiceUnavailable {
			turned++
		}
	}
	if turned != 8 {
		t.Errorf("%d of 8 too many were turned away", turned)
	}
	for _, conn := range all {
		conn.Close()
	}
	c := NewClient(path)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := c.Status(t.Context()); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the places are not given back: %v", err)
		}
	}
}

// TestSlowRequests has requests that never end given up, while others are answered.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/s"
	serveAt(t, path, newSource(t, 0), nil, func(s *Server) { s.times.request = time.Second })
	slow := []*net.UnixConn{
		knock(t, path, "GET /v1/status HTTP/1.1\r\nHost: x\r\nX: "),
		knock(t, path, "PUT /v1/users/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"),
		knock(t, path, ""),
	}
	start := time.Now()
	if _, err := NewClient(path).Status(t.Context()); err != nil {
		t.Error(err)
	}
	for i, conn := range slow {
		if err := conn.SetReadDeadline(start.Add(requestTimeout)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("request %d is waited for: %v", i, err)
		}
	}
}

// TestStreamsLast has a stream go on longer than a request may take, and tell that
// it lives.
func TestStreamsLast(t *testing.T) {
	t.Parallel()
	src, path := newSource(t, 0), t.TempDir()+"/s"
	serveAt(t, path, src, nil, func(s *Server) { s.times.request, s.times.heartbeat = 500*time.Millisecond, 1500*time.Millisecond })
	src.log.Publish(event.Event{Kind: event.HostNew})
	conn := knock(t, path, "GET /v1/events?kind=user-* HTTP/1.1\r\nHost: x\r\n\r\n")
	in := bufio.NewReader(conn)
	wait := func(want string) {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("waiting for %q: %v", want, err)
			}
			if strings.Contains(line, want) {
				return
			}
		}
	}
	src.log.Publish(event.Event{Kind: event.HostNew})
	wait("nothing new")
	wait("id: " + src.log.Boot() + "-2") // past what it did not want
	src.log.Publish(event.Event{Kind: event.UserNew, Subject: "bob"})
	wait(`"subject":"bob"`)
}

// TestReaderWhoDoesNotRead has a follower who never reads hold up nobody, and one
// who reads late told what he lost.
func TestReaderWhoDoesNotRead(t *testing.T) {
	src := newSource(t, 0)
	path, _ := serveSource(t, src, nil)
	knock(t, path, "GET /v1/events?kind=user-* HTTP/1.1\r\nHost: x\r\n\r\n")
	late := knock(t, path, "GET /v1/events?kind=user-* HTTP/1.1\r\nHost: x\r\n\r\n")
	for end := time.Now().Add(10 * time.Second); src.log.Stats().Readers < 2 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	subject := strings.Repeat("x", 100)
	start := time.Now()
	const n = 5 * event.DefaultSize
	for range n {
		src.log.Publish(event.Event{Kind: event.UserNew, Subject: subject})
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%d events took %v", n, took)
	}
	if err := late.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	gap, last := false, fmt.Sprintf(`"seq":%d,`, n)
	for in := bufio.NewScanner(late); in.Scan(); {
		gap = gap || strings.HasPrefix(in.Text(), "event: gap")
		if strings.Contains(in.Text(), last) {
			if !gap {
				t.Error("no gap was told")
			}
			return
		}
	}
	t.Error("the stream ended before the last event")
}

// TestManyStreams bounds the followers.
func TestManyStreams(t *testing.T) {
	src := newSource(t, 0)
	path, _ := serveSource(t, src, nil)
	for range maxStreams + streamsForRoot {
		if got := status(t, knock(t, path, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")); got != http.StatusOK {
			t.Fatalf("status %d", got)
		}
	}
	if got := status(t, knock(t, path, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")); got != http.StatusServiceUnavailable {
		t.Errorf("one more stream: status %d", got)
	}
}

// TestStreamsOfAUser has one user leave streams to others, and all leave some to root.
func TestStreamsOfAUser(t *testing.T) {
	src := newSource(t, 0)
	_, srv := serveSource(t, src, nil)
	for range maxStreamsOfUser {
		if !srv.streams.enter(1000) {
			t.Fatal("no place")
		}
	}
	if srv.streams.enter(1000) || !srv.streams.enter(1001) {
		t.Error("one user has all streams")
	}
	for srv.streams.enter(1001) {
	}
	if srv.streams.enter(1002) || !srv.streams.enter(0) {
		t.Error("others have root's streams")
	}
}

// TestStopEndsStreams has a server stop at once, though somebody follows.
func TestStopEndsStreams(t *testing.T) {
	path := t.TempDir() + "/s"
	src := newSource(t, 0)
	srv, err := Listen(path, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	conn := knock(t, path, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := status(t, conn); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	start := time.Now()
	cancel()
	if err := <-done; err != nil || time.Since(start) > stopTimeout {
		t.Errorf("it took %v: %v", time.Since(start), err)
	}
}

func TestPages(t *testing.T) {
	src := newSource(t, 7)
	for i := range 5 {
		if err := src.who.SetUser(fmt.Sprint("user", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	path, _ := serveSource(t, src, nil)
	c := NewClient(path)
	var names []string
	for after := ""; ; {
		var users []identity.User
		if err := c.get(t.Context(), "/v1/users", map[string][]string{"limit": {"2"}, "after": {after}}, decodeInto(&users)); err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			names = append(names, u.Name)
			after = u.Name
		}
		if len(users) < 2 {
			break
		}
	}
	if got := strings.Join(names, " "); got != "user0 user1 user2 user3 user4" {
		t.Errorf("users by pages: %s", got)
	}
	var ids []int64
	for after := "0"; ; {
		var sessions []Session
		if err := c.get(t.Context(), "/v1/sessions", map[string][]string{"limit": {"3"}, "after": {after}}, decodeInto(&sessions)); err != nil {
			t.Fatal(err)
		}
		for _, s := range sessions {
			if len(ids) > 0 && s.SessionID <= ids[len(ids)-1] {
				t.Errorf("session %d after %v", s.SessionID, ids)
			}
			ids = append(ids, s.SessionID)
			after = fmt.Sprint(s.SessionID)
		}
		if len(sessions) == 0 {
			break
		}
	}
	if len(ids) != 7 {
		t.Errorf("sessions by pages: %v", ids)
	}
}

func FuzzDecodeBody(f *testing.F) {
	f.Add([]byte(`{"usergroups":["a","b"]}`))
	f.Add([]byte(`{"usergroups":[],"usergroups":[]}`))
	f.Add([]byte("{\"usergroups\":[\"\\ud800\"]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var body UserGroups
		if decodeBody(text, &body) != nil {
			return
		}
		if n := bytes.Count(bytes.ToLower(text), []byte(`"usergroups"`)); n > 1 && len(body.Groups) == 0 {
			t.Logf("%q: %d times", text, n) // in a string of another member there is none
		}
		for _, g := range body.Groups {
			if _, err := identity.JoinGroups([]string{g}); err != nil && !errors.Is(err, dict.ErrInvalid) && !errors.Is(err, dict.ErrTooLong) {
				t.Errorf("group %q: %v", g, err)
			}
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add("GET", "/v1/sessions?limit=1&after=2", "")
	f.Add("PUT", "/v1/users/a%2fb", `{"usergroups":["x"]}`)
	f.Add("DELETE", "/v1/devices/02:00:00:00:00:09/user", "")
	f.Add("GET", "/v1/hosts/fe80::1%25eth0", "")
	s := newServer(newSource(f, 2))
	mux := s.handler()
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, target, len(body), body))))
		if err != nil || r.URL.Path == "/v1/events" { // which lasts
			return
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r.WithContext(withPeer(t.Context(), &Peer{})))
		if w.Code >= 500 || w.Code < 200 || w.Code >= 300 && w.Code < 400 {
			t.Errorf("%s %q: status %d: %s", method, target, w.Code, w.Body)
		}
		if w.Code >= 400 && r.Method != "HEAD" && !strings.Contains(w.Body.String(), `{"error":`) {
			t.Errorf("%s %q: %s", method, target, w.Body)
		}
	})
}
