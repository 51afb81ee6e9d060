// SPDX-License-Identifier: MIT

package operator

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/password"
)

// Who opens connections and says nothing, or begins a request, keeps nobody from logging
// in, and ends no stream.
func TestSilence(t *testing.T) {
	r := newRig(t)
	at := strings.TrimPrefix(r.url, "http://")
	v := r.visitor().login("ada")
	stream, err := v.Get(r.url + "/v1/events?key=" + v.key)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	events := bufio.NewReader(stream.Body)
	if line, err := events.ReadString('\n'); err != nil || line != ": there\n" {
		t.Fatalf("%q, %v", line, err)
	}
	for i := range 2 * maxConnections {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 0 {
			io.WriteString(c, "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "+isForm+"\r\nContent-Length: 100\r\n\r\nname=ada")
		}
	}
	bob := r.visitor().login("bob")
	bob.want(200, "GET", "/v1/status")
	v.want(200, "GET", "/v1/status")
	if n, err := events.ReadString('\n'); err != nil || n != "\n" { // what was sent with the first line
		t.Fatalf("%q, %v", n, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := events.ReadByte()
		ended <- err
	}()
	v.want(http.StatusNoContent, "POST", "/logout")
	select {
	case <-ended: // by the logout: it lasted until then
	case <-time.After(30 * time.Second):
		t.Error("the stream of who has logged out goes on")
	}
}

var discarded = slog.New(slog.DiscardHandler)

// attacked is a page that is asked without a network, where ada has logged in, and
// whatever reaches the API is noted.
type attacked struct {
	*Server
	ada         Operator
	cookie, key string
	reached     *http.Request
}

func newAttacked(t testing.TB) *attacked {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := new(attacked)
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.reached = r })
	r := &rig{t: t, file: t.TempDir() + "/operators"}
	hash, err := password.Hash("x")
	if err != nil {
		t.Fatal(err)
	}
	a.ada = Operator{"ada", true, hash}
	r.write(a.ada)
	a.Server, err = New(Config{
		Listener: ln, Passwords: r.file, Idle: time.Hour, Session: 2 * time.Hour, Read: api, Write: api, Clock: time.Now, Log: discarded,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	a.work = nil // nothing is compared: that takes its time
	return a
}

// FuzzRequest sends any request. Nothing reaches the API but what has the cookie and the
// key, names the page by a name of its own, and says of no other site that it asks.
func FuzzRequest(f *testing.F) {
	const cookie = "Cookie: dictd-operator-8790=COOKIE\r\n"
	for _, text := range []string{
		"GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:8790\r\n" + cookie + "X-Key: KEY\r\n\r\n",
		"GET /v1/events?after=0&key=KEY HTTP/1.1\r\nHost: localhost:8790\r\n" + cookie + "\r\n",
		"PUT /v1/users/eve HTTP/1.1\r\nHost: [::1]:8790\r\nOrigin: http://[::1]:8790\r\nSec-Fetch-Site: same-origin\r\n" + cookie + "X-Key: KEY\r\nContent-Length: 2\r\n\r\n{}",
		"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1:8790\r\nSec-Fetch-Site: cross-site\r\nOrigin: http://evil.example\r\n" + cookie + "X-Key: KEY\r\n\r\n",
		"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + isForm + "\r\nContent-Length: 21\r\n\r\nname=ada&password=x%2",
		"GET /session HTTP/1.1\r\nHost: evil.example:8790\r\nCookie: dictd-operator=COOKIE; dictd-operator-8790=COOKIE\r\nX-Key: KEY\r\n\r\n",
		"GET http://127.0.0.1:8790/v1/../session HTTP/1.0\r\n" + cookie + "X-Key: KEY\r\n\r\n",
		"POST /logout HTTP/1.1\r\nHost: 127.0.0.1:8790\r\n" + cookie + "\r\n", "GET /style.css HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1,5-,-3\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	a := newAttacked(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(a.sessions.all) == 0 { // or she has logged out
			a.cookie, a.key = a.sessions.begin(a.ada)
		}
		text := strings.NewReplacer("COOKIE", a.cookie, "KEY", a.key).Replace(string(raw))
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		if r.URL.Path == "/login" && r.Method == http.MethodPost {
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // whoever asks is gone: nothing is compared
			r = r.WithContext(ctx)
		}
		r.RemoteAddr = "192.0.2.7:50000"
		a.reached = nil
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Header().Get("Content-Security-Policy") != policy {
			t.Errorf("%q: policy %q", raw, w.Header().Get("Content-Security-Policy"))
		}
		if set := w.Header().Get("Set-Cookie"); strings.Contains(set, "=") && !strings.Contains(set, "=; ") {
			t.Errorf("%q: %s", raw, set)
		}
		if strings.Contains(w.Body.String(), a.key) || strings.Contains(w.Body.String(), a.cookie) {
			t.Errorf("%q: tells a secret", raw)
		}
		if a.reached == nil {
			return
		}
		has := func(value string) bool { return strings.Contains(text, value) }
		if !has(a.cookie) || !has(a.key) || !a.knows(r.Host) || !sameSite(r) || !strings.HasPrefix(r.URL.Path, "/v1/") {
			t.Errorf("%q reaches the API", raw)
		}
		if origin, err := url.Parse(r.Header.Get("Origin")); r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") != "" &&
			!slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method) && (err != nil || origin.Host != r.Host) {
			t.Errorf("%q changes something from elsewhere", raw)
		}
		if strings.Contains(a.reached.URL.String(), a.key) && r.Header.Get("X-Key") == "" {
			t.Errorf("%q: the key goes on in %s", raw, a.reached.URL)
		}
	})
}

// FuzzHost asks by any name: without a certificate the page is known by addresses and as
// localhost alone, and whatever it is called, its cookie has a name.
func FuzzHost(f *testing.F) {
	for _, host := range []string{"localhost:8790", "[fe80::1%25eth0]:80", "127.0.0.1", "127.0.0.1.evil.example", "localhost.", "[::1", "::1", "a:b:c", ":80", "", "[127.0.0.1]:1", "localhost:99999", "localhost:+80", "0x7f.1:80"} {
		f.Add(host)
	}
	s := newAttacked(f)
	f.Fuzz(func(t *testing.T, host string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		name := s.cookieName(r)
		if err := (&http.Cookie{Name: name, Value: "x"}).Valid(); err != nil || !strings.HasPrefix(name, "dictd-operator") {
			t.Errorf("%q: cookie %q, %v", host, name, err)
		}
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h // ports are nobody's names
		}
		if s.knows(r.Host) && host != "localhost" && strings.Trim(host, "0123456789abcdefABCDEF:.[]") != "" && !strings.Contains(host, "%") {
			t.Errorf("%q is the page's", r.Host)
		}
	})
}
