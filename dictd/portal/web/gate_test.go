// SPDX-License-Identifier: MIT

package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPlaces leaves descriptors for other things.
func TestPlaces(t *testing.T) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
			t.Error(err)
		}
	}()
	for _, tt := range []struct {
		files uint64
		want  int
	}{{1024, 1024 - OtherFiles}, {MaxConnections + OtherFiles, MaxConnections}, {was.Max, MaxConnections}} {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: min(tt.files, was.Max), Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		if got := placesHere(); got != tt.want && was.Max > MaxConnections+OtherFiles {
			t.Errorf("%d descriptors: %d places, want %d", tt.files, got, tt.want)
		}
	}
}

// serve runs a server on the loopback.
func (r *rig) serve(t *testing.T) (plain, secure string) {
	t.Helper()
	var ports [2]net.Listener
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = ln
	}
	made := httptest.NewUnstartedServer(nil) // for its certificate
	made.StartTLS()
	r.SetCertificate(&made.TLS.Certificates[0])
	made.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, ports[:1], ports[1:]) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ports[0].Addr().String(), ports[1].Addr().String()
}

// TestRequests sends what is no request of a browser's, and hears no more than has
// to be said.
func TestRequests(t *testing.T) {
	set := settings()
	set.HTTPS = 0
	r := newRig(t, set)
	plain, _ := r.serve(t)
	long := make([]byte, 64<<10)
	for i := range long {
		long[i] = 'x'
	}
	for _, tt := range []struct{ send, want string }{
		{"GET / HTTP/1.0\r\n\r\n", "302"}, // no Host
		{"GET http://evil.example/ HTTP/1.1\r\nHost: portal.example\r\n\r\n", "302"},
		{"GET http://portal.example/terms HTTP/1.1\r\nHost: evil.example\r\n\r\n", "200"},
		{"GET /terms HTTP/1.1\r\nHost: portal.example\r\nHost: evil.example\r\n\r\n", "400"},
		{"GET /terms HTTP/1.1\r\nHost: portal.example\r\nX: " + string(long) + "\r\n\r\n", "431"},
		{"GET /" + string(long) + " HTTP/1.1\r\nHost: portal.example\r\n\r\n", "431"},
		{"POST /enter HTTP/1.1\r\nHost: portal.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "415"},
		{"OPTIONS * HTTP/1.1\r\nHost: portal.example\r\n\r\n", "400"},
		{"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", "302"},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "302"},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
	} {
		c, err := net.Dial("tcp", plain)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, tt.send); err != nil {
			t.Logf("%.40q: %v", tt.send, err) // refused before all was said
		}
		var version, status string
		if _, err := fmt.Fscan(bufio.NewReader(c), &version, &status); err != nil || status != tt.want {
			t.Errorf("%.60q: %s %v, want %s", tt.send, status, err, tt.want)
		}
		c.Close()
	}
}

// Who sees that he is in has no connection open any more that would lead him here in
// place of where he wants to go.
func TestDismissed(t *testing.T) {
	r := newRig(t, settings())
	r.desk.visitor.In = true
	plain, secure := r.serve(t)
	dial := func(at string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	silent, asking, idle := dial(plain), tls.Client(dial(secure), &tls.Config{InsecureSkipVerify: true}), tls.Client(dial(secure), &tls.Config{InsecureSkipVerify: true})
	if err := idle.Handshake(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		there := r.hall.Connections()
		if there == 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections", there)
		}
	}
	ask := func(c net.Conn) {
		t.Helper()
		if _, err := io.WriteString(c, "GET /status HTTP/1.1\r\nHost: portal.example\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", resp, err)
		}
		resp.Body.Close()
	}
	ask(asking)
	if n, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("what has asked for nothing reads %d, %v", n, err)
	}
	ask(idle)
}
