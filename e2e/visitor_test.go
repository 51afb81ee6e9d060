// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// A captive portal on the gateway, and clients that have nothing but curl.
//
//	client ---- lan0 ---- gateway (dictd, portal) ---- internet
//	guest  ---- lan1

const portalOn = "[portal]\nenable = true\ninterfaces = [\"lan0\", \"lan1\"]\nself_signed = true\ndns = [\"192.0.2.53\", \"2001:db8::53\"]\n"

// visitor is somebody at a device, with curl and its cookies.
type visitor struct {
	*rig
	t      testing.TB
	at     *lab.Namespace
	family int
	jar    string   // of cookies
	base   string   // the portal's, once it was told
	hosts  []string // where names lead that DNS does not know, as curl's --resolve has it
}

func (r *rig) visitor(t testing.TB, at *lab.Namespace, family int) *visitor {
	need.Program(t, "curl")
	return &visitor{rig: r, t: t, at: at, family: family, jar: filepath.Join(t.TempDir(), "cookies")}
}

// reply is what a server has answered.
type reply struct {
	code     int
	location string
	body     string
}

// curl runs it; the error is curl's.
func (v *visitor) curl(args ...string) (r reply, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	const mark = "\n--- "
	words := append([]string{"-skg", "-m", "50", "-b", v.jar, "-c", v.jar, "-w", mark + "%{http_code} %{redirect_url}"}, args...)
	for _, host := range v.hosts {
		words = append(words, "--resolve", host)
	}
	out, err := v.at.Command(ctx, "curl", words...).Output()
	body, rest, _ := strings.Cut(string(out), mark)
	r.body = body
	_, _ = fmt.Sscan(rest, &r.code, &r.location)
	return r, err
}

// fetch asks a site for its page, by its address.
func (v *visitor) fetch(scheme, name string) (reply, error) {
	site, ok := v.Site(name)
	if !ok {
		v.t.Fatalf("no site %s", name)
	}
	port, at := "80", site.Addr4.String()
	if scheme == "https" {
		port = "443"
	}
	if v.family == 6 {
		at = "[" + site.Addr6.String() + "]"
	}
	return v.curl("--resolve", name+":"+port+":"+at, scheme+"://"+name+"/")
}

// captive shows that the device reaches the portal alone, over both families.
func (v *visitor) captive(what string) {
	v.t.Helper()
	for _, family := range []int{4, 6} {
		o := *v
		o.family = family
		r, err := o.fetch("http", "example.org")
		if err != nil || r.code != 302 || !strings.Contains(r.location, ":8443/") {
			v.t.Fatalf("%s: IPv%d: port 80 answers %d %q, %v", what, family, r.code, r.location, err)
		}
		if o.family == v.family {
			v.base = strings.TrimSuffix(r.location, "/")
		}
		o.reset(what)
	}
}

// lost waits until the device is not let in any more.
func (v *visitor) lost(what string) {
	v.t.Helper()
	v.eventually(what, func() error {
		r, err := v.fetch("http", "example.org")
		if err == nil && r.code != 302 {
			err = fmt.Errorf("port 80 answers %d", r.code)
		}
		return err
	})
	v.captive(what)
}

// reset shows that connections to port 443 are reset.
func (v *visitor) reset(what string) {
	v.t.Helper()
	const refused, reset = "exit status 7", "exit status 35"
	if _, err := v.fetch("https", "example.org"); err == nil || err.Error() != refused && err.Error() != reset {
		v.t.Fatalf("%s: IPv%d: port 443: %v, want it reset", what, v.family, err)
	}
}

// free shows that the device is let in, over both families.
func (v *visitor) free(what string) {
	v.t.Helper()
	for _, family := range []int{4, 6} {
		o := *v
		o.family = family
		for _, scheme := range []string{"http", "https"} {
			// The addresses of the other family may not have been seen yet.
			v.eventually(fmt.Sprintf("%s: IPv%d: %s", what, family, scheme), func() error {
				r, err := o.fetch(scheme, "example.org")
				if err == nil && (r.code != 200 || !strings.Contains(r.body, "hello from example.org")) {
					err = fmt.Errorf("it answers %d %q", r.code, r.body)
				}
				return err
			})
		}
	}
}

var tokenOf = regexp.MustCompile(`name="token" value="([^"]*)"`)

// page gets a page of the portal.
func (v *visitor) page(path string) reply {
	v.t.Helper()
	var r reply
	v.eventually("the portal's page", func() (err error) {
		if r, err = v.curl(v.base + path); err == nil && r.code == 0 {
			err = errors.New("no answer")
		}
		return err
	})
	return r
}

// post fills in a form of a page and sends it. It returns the page that follows.
func (v *visitor) post(from, to string, fields ...string) reply {
	v.t.Helper()
	r := v.send(from, to, fields...)
	if r.code == 303 {
		return v.page(strings.TrimPrefix(r.location, v.base))
	}
	return r
}

// send fills in a form of a page and sends it.
func (v *visitor) send(from, to string, fields ...string) reply {
	v.t.Helper()
	m := tokenOf.FindStringSubmatch(v.page(from).body)
	if m == nil {
		v.t.Fatalf("no form at %s:\n%s", from, v.page(from).body)
	}
	args := []string{"--data-urlencode", "token=" + html.UnescapeString(m[1])}
	for _, f := range fields {
		args = append(args, "--data-urlencode", f)
	}
	r, err := v.curl(append(args, v.base+to)...)
	if err != nil {
		v.t.Fatalf("%s: %v", to, err)
	}
	return r
}

// enter logs in, and returns the page that follows.
func (v *visitor) enter(way, name, secret string) reply {
	v.t.Helper()
	return v.post("/", "/enter", "way="+way, "name="+name, "secret="+secret)
}

// problem shows that a page says why somebody is not let in.
func (v *visitor) problem(r reply, want string) {
	v.t.Helper()
	if !strings.Contains(r.body, `id="problem"`) || !strings.Contains(r.body, want) {
		v.t.Errorf("want %q:\n%d %s", want, r.code, r.body)
	}
}

// told is what the API of RFC 8908 says.
type told struct {
	Captive   bool   `json:"captive"`
	Portal    string `json:"user-portal-url"`
	Seconds   *int64 `json:"seconds-remaining"`
	Bytes     *int64 `json:"bytes-remaining"`
	CanExtend *bool  `json:"can-extend-session"`
}

func (v *visitor) api() (a told) {
	v.t.Helper()
	if err := json.Unmarshal([]byte(v.page("/api").body), &a); err != nil {
		v.t.Fatal(err)
	}
	return a
}

// operate calls dictd's API.
func (r *rig) operate(method, path, body string, answer any) {
	r.t.Helper()
	out := r.must("curl", "-sS", "--fail-with-body", "--unix-socket", r.socket(), "-X", method, "-H", "Content-Type: application/json", "-d", body, "http://dictd"+path)
	if answer != nil {
		if err := json.Unmarshal([]byte(out), answer); err != nil {
			r.t.Fatalf("%s: %v\n%s", path, err, out)
		}
	}
}

// vouchers makes some and returns their codes.
func (r *rig) vouchers(body string) (codes []string) {
	r.t.Helper()
	var made struct {
		Vouchers []struct{ Code string } `json:"vouchers"`
	}
	r.operate("POST", "/v1/portal/batches", body, &made)
	for _, v := range made.Vouchers {
		codes = append(codes, v.Code)
	}
	if len(codes) == 0 {
		r.t.Fatal("no vouchers")
	}
	return codes
}
