// SPDX-License-Identifier: MIT

package operator

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// cookies sends a request with cookies as they are written, and returns the status.
func (v *visitor) cookies(path, line string) int {
	v.t.Helper()
	req, err := http.NewRequest("GET", v.url+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Cookie", line)
	req.Header.Set("X-Key", v.key)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Cookies of others at the same host, which know no ports, open nothing and hold up
// nobody: those that somebody has set, too.
func TestCookiesOfOthers(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	resp, _ := v.try("ada", passwordOf("ada"))
	own := resp.Cookies()[0]
	v.key = strings.TrimPrefix(resp.Header.Get("Location"), "/#key=")
	_, port, _ := strings.Cut(strings.TrimPrefix(r.url, "http://"), ":")
	if own.Name != "dictd-operator-"+port {
		t.Fatalf("cookie %q at port %s", own.Name, port)
	}
	resp, _ = r.visitor().try("bob", passwordOf("bob"))
	bob := resp.Cookies()[0]
	for _, c := range []struct {
		line string
		want int
	}{
		{own.Name + "=" + own.Value, 200},
		{own.Name + "=x; " + own.Name + "=" + bob.Value + "; " + own.Name + "=" + own.Value, 200},
		{bob.Name + "=" + bob.Value, http.StatusUnauthorized}, // in which he would have ada work
		{"dictd-operator=" + own.Value, http.StatusUnauthorized},
		{"__Host-" + own.Name + "=" + own.Value, http.StatusUnauthorized},
		{own.Name + "1=" + own.Value, http.StatusUnauthorized},
		{strings.Repeat(own.Name+"=x; ", 2*maxCookies) + own.Name + "=" + own.Value, http.StatusUnauthorized},
	} {
		if got := v.cookies("/v1/status", c.line); got != c.want {
			t.Errorf("%.80s: %d, want %d", c.line, got, c.want)
		}
	}
	// Who has got the cookie alone keeps no session alive, and ends none.
	for range 3 {
		r.now.pass(4 * time.Minute)
		v.key, resp = "", nil
		if got := v.cookies("/", own.Name+"="+own.Value); got != 200 && got != http.StatusSeeOther {
			t.Errorf("the page: %d", got)
		}
	}
	if n := len(r.sessions.all); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// The key in the query of a stream goes no further.
func TestKeyStays(t *testing.T) {
	var asked string
	r := newRig(t, func(c *Config) {
		c.Write = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = r.URL.String() })
	})
	v := r.visitor().login("ada")
	resp, err := v.Get(r.url + "/v1/events?after=0&key=" + v.key + "&kind=user-*,a%26b")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || asked != "/v1/events?after=0&kind=user-%2A%2Ca%26b" {
		t.Errorf("the API is asked for %s, %v", asked, err)
	}
	if strings.Contains(r.log.String(), v.key) {
		t.Error("the key is in the log")
	}
}
