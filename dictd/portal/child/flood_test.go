// SPDX-License-Identifier: MIT

package child

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/portal/web"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// TestHalfOpen begins 10,000 connections that are never finished, in the names of
// neighbours who do not exist, of both families:
//
//	client ---- lan0 gateway: the portal's process
//
// The client is answered as before.
func TestHalfOpen(t *testing.T) {
	need.Root(t)
	need.Long(t)
	l := labtest.New(t, lab.Config{})
	ln, err := l.Gateway.Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	to := port(t, ln)
	s, err := New(Options{HTTP: []*net.TCPListener{ln.(*net.TCPListener)}, UID: nobody, GID: nobody, Desk: new(fake), Log: slog.New(slog.DiscardHandler)}, Config{Web: web.Settings{HTTP: to}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }() // ends with the test
	defer func() { cancel(); <-done }()
	get := func(gateway netip.Addr) {
		t.Helper()
		c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: l.Client.Dial, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		at := netip.AddrPortFrom(gateway, to).String()
		resp, err := c.Get("http://" + at + "/terms")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", at, resp.Status)
		}
	}
	get(lab.GatewayLAN4)
	get(lab.GatewayLAN6)
	before := segments(t, l)
	labtest.HalfOpen(t, l, 10_000, netip.AddrPortFrom(lab.GatewayLAN4, to), netip.AddrPortFrom(lab.GatewayLAN6, to))
	until(t, "all segments", func() bool { return segments(t, l)-before >= 10_000 })
	for range 10 {
		get(lab.GatewayLAN4)
		get(lab.GatewayLAN6)
	}
}

// TestFlood leaves 10,000 connections open, of many clients, at both ports: with nothing
// said, with half a request or half a handshake. Others find the portal as it was,
// and its process has not grown beyond measure.
func TestFlood(t *testing.T) {
	need.Long(t)
	r := start(t)
	c := client(t, r.certificate)
	pages := map[string]int{r.plain + "/generate_204": http.StatusFound, r.secure + "/": http.StatusOK}
	visit := func() {
		t.Helper()
		for url, want := range pages {
			if resp, _ := get(t, c, url); resp.StatusCode != want {
				t.Errorf("%s: %s", url, resp.Status)
			}
		}
	}
	visit()
	pid := r.PID()
	hello := []byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3} // how a ClientHello begins
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for i := range 10_000 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i%250), 1)}}
		to, say := strings.TrimPrefix(r.plain, "http://"), []byte("GET / HTTP/1.1\r\nHost: evil.exam")
		if i%4 >= 2 {
			to, say = strings.TrimPrefix(r.secure, "https://"), hello
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
	for range 10 {
		visit()
	}
	if now := r.PID(); now != pid {
		t.Errorf("process %d took the place of %d", now, pid)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if peak == nil {
		t.Fatalf("%s", status)
	}
	most, err := strconv.Atoi(string(peak[1]))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the process had %d MiB at most", most>>10)
	if most<<10 > maxMemory {
		t.Errorf("the process had %d kB", most)
	}
}

// segments is how many of TCP the gateway has taken.
func segments(t *testing.T, l *lab.Lab) (n uint64) {
	t.Helper()
	err := l.Gateway.Do(func() error {
		snmp, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		lines := regexp.MustCompile(`(?m)^Tcp: (.*)$`).FindAllStringSubmatch(string(snmp), 2)
		at := slices.Index(strings.Fields(lines[0][1]), "InSegs")
		n, err = strconv.ParseUint(strings.Fields(lines[1][1])[at], 10, 64)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
