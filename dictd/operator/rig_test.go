// SPDX-License-Identifier: MIT

package operator

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/dictd/password"
)

// rig is a page with an API that tells what it was asked, and two operators: ada, who
// may change something, and bob.
type rig struct {
	*Server
	t    testing.TB
	url  string
	file string
	log  *locked
	now  *clock
}

// clock is one that tests put forward.
type clock struct {
	mu    sync.Mutex
	extra time.Duration
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.extra)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.extra += d
}

// locked is a buffer for several goroutines.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// passwordOf is everybody's, with his name.
func passwordOf(name string) string { return "the password of " + name }

// newRig serves a page until the test ends; tune may change its configuration.
func newRig(t testing.TB, tune ...func(*Config)) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, file: filepath.Join(t.TempDir(), "operators"), log: new(locked), now: new(clock), url: "http://" + ln.Addr().String()}
	r.write(Operator{Name: "ada", Write: true}, Operator{Name: "bob"})
	told := func(right string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/v1/events" {
				w.Header().Set("Content-Type", "text/event-stream")
				io.WriteString(w, ": there\n\n")
				http.NewResponseController(w).Flush()
				<-req.Context().Done()
				return
			}
			io.WriteString(w, right+" "+req.Method+" "+req.URL.Path)
		})
	}
	c := Config{
		Listener: ln, Passwords: r.file, Idle: 10 * time.Minute, Session: time.Hour, Read: told("read"), Write: told("write"),
		Clock: r.now.time, Log: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	for _, f := range tune {
		f(&c)
	}
	if r.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// write makes the file of operators.
func (r *rig) write(all ...Operator) {
	r.t.Helper()
	for i := range all {
		if all[i].Hash != "" {
			continue
		}
		hash, err := password.Hash(passwordOf(all[i].Name))
		if err != nil {
			r.t.Fatal(err)
		}
		all[i].Hash = hash
	}
	if err := Write(r.file, all); err != nil {
		r.t.Fatal(err)
	}
}

// visitor is a browser.
type visitor struct {
	*rig
	http.Client
	key string
}

func (r *rig) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{rig: r, Client: http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask sends a request and returns the answer with its text.
func (v *visitor) ask(method, path, body string, header ...string) (*http.Response, string) {
	v.t.Helper()
	req, err := http.NewRequest(method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if v.key != "" {
		req.Header.Set("X-Key", v.key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := v.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp, string(text)
}

const isForm = "application/x-www-form-urlencoded"

// try tries to log in.
func (v *visitor) try(name, pass string, header ...string) (*http.Response, string) {
	v.t.Helper()
	form := url.Values{"name": {name}, "password": {pass}}
	return v.ask("POST", "/login", form.Encode(), append([]string{"Content-Type", isForm}, header...)...)
}

// login logs in.
func (v *visitor) login(name string) *visitor {
	v.t.Helper()
	resp, text := v.try(name, passwordOf(name))
	v.key, _ = strings.CutPrefix(resp.Header.Get("Location"), "/#key=")
	if resp.StatusCode != http.StatusSeeOther || len(v.key) != 64 {
		v.t.Fatalf("login of %s: %d %s to %q", name, resp.StatusCode, text, resp.Header.Get("Location"))
	}
	return v
}

// want fails the test unless an answer has a status.
func (v *visitor) want(status int, method, path string, header ...string) string {
	v.t.Helper()
	resp, text := v.ask(method, path, "", header...)
	if resp.StatusCode != status {
		v.t.Errorf("%s %s %q: %d %s, want %d", method, path, header, resp.StatusCode, text, status)
	}
	return text
}
