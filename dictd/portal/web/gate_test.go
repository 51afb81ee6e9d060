// SPDX-License-Identifier: MIT

package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"nftdict/internal/need"
)

// from is a connection from an address, and nothing else.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(f.addr), 1))
}
func (f from) Close() error { return nil }

// TestHall gives places away.
func TestHall(t *testing.T) {
	h := newHall(4, 2)
	enter := func(addr string, want *seat) *seat {
		t.Helper()
		s, loser := h.enter(from{addr: addr})
		if loser != want {
			t.Errorf("%s: %v lost its place, want %v", addr, loser, want)
		}
		return s
	}
	a1 := enter("192.0.2.1", nil)
	a2 := enter("::ffff:192.0.2.1", nil) // the same
	a3 := enter("192.0.2.1", a1)         // one of his own
	b1 := enter("2001:db8::1", nil)
	enter("2001:db8::2", nil) // all are taken
	done := a2.work()
	d1 := enter("2001:db8::3", a3) // a2 has waited longer, but works
	again := a2.work()             // never twice at one time, and harmless
	again()
	done()
	enter("2001:db8::4", b1)
	b1.Close()
	d1.Close()
	d1.Close()
	if h.total != 3 || len(h.of) != 3 {
		t.Errorf("%d places, of %v", h.total, h.of)
	}
	done = a2.work()
	a2.Close()
	done()
	if h.total != 2 || h.waiting.Len() != 2 {
		t.Errorf("%d places, %d wait", h.total, h.waiting.Len())
	}
	// One address alone has all its places at work: it gets another, as long as there is one.
	h = newHall(4, 2)
	enter("192.0.2.1", nil).work()
	enter("192.0.2.1", nil).work()
	enter("192.0.2.1", nil)
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

// TestFlood leaves 10,000 connections half-open, of many clients, at both ports: with
// nothing said, with half a request or half a handshake. Others find the portal as it was.
func TestFlood(t *testing.T) {
	need.Long(t)
	set := settings()
	set.Name = ""
	r := newRig(t, set)
	plain, secure := r.serve(t)
	hello := []byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3} // how a ClientHello begins
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for i := range 10_000 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i%250), 1)}}
		to, say := plain, []byte("GET / HTTP/1.1\r\nHost: evil.exam")
		if i%4 >= 2 {
			to, say = secure, hello
		}
		c, err := d.Dial("tcp", to)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		held = append(held, c)
		if i%2 == 1 {
			if _, err := c.Write(say); err != nil {
				t.Logf("connection %d: %v", i, err) // it has lost its place already
			}
		}
	}
	client := &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	for range 20 {
		for url, want := range map[string]int{"http://" + plain + "/generate_204": http.StatusFound, "https://" + secure + "/": http.StatusOK} {
			resp, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s: %s", url, resp.Status)
			}
		}
	}
	r.hall.mu.Lock()
	total := r.hall.total
	r.hall.mu.Unlock()
	if total > MaxConnections {
		t.Errorf("%d connections are held", total)
	}
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
