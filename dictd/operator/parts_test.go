// SPDX-License-Identifier: MIT

package operator

import (
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/password"
)

func TestLimit(t *testing.T) {
	now := time.Unix(1000, 0)
	l := limit{clock: func() time.Time { return now }, of: make(map[string]time.Time)}
	at := netip.MustParseAddr
	// A network of IPv6 is one; another is another.
	for i := range burstOfAddress {
		if _, ok := l.try(at("2001:db8::"+strconv.Itoa(i)), strconv.Itoa(i)); !ok {
			t.Fatalf("attempt %d", i)
		}
	}
	if wait, ok := l.try(at("2001:db8::ffff"), "x"); ok || wait <= 0 || wait > paceOfAddress {
		t.Errorf("one too many of a network: wait %v, %v", wait, ok)
	}
	if _, ok := l.try(at("2001:db8:0:1::"), "x"); !ok {
		t.Error("another network is held back")
	}
	// A name, from many addresses; who was held back has not tried.
	refused := 0
	for i := range 2 * burstOfName {
		if _, ok := l.try(netip.AddrFrom4([4]byte{10, 0, byte(i), 1}), "ada"); !ok {
			refused++
		}
	}
	if refused != burstOfName {
		t.Errorf("%d of a name are held back", refused)
	}
	now = now.Add(time.Hour)
	for i := range 3 * maxBuckets {
		now = now.Add(paceOfAll)
		l.try(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), strconv.Itoa(i))
	}
	if len(l.of) > maxBuckets {
		t.Errorf("%d are remembered", len(l.of))
	}
	n := 0
	for i := range 2 * burstOfAll {
		if _, ok := l.try(netip.AddrFrom4([4]byte{10, 9, 9, byte(i)}), "n"+strconv.Itoa(i)); ok {
			n++
		}
	}
	if n > burstOfAll {
		t.Errorf("%d at once", n)
	}
}

func TestParse(t *testing.T) {
	hash, err := password.Hash("x")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Parse("# a comment\n\nada:write:" + hash + "\r\nbob:read:" + hash)
	if want := []Operator{{"ada", true, hash}, {"bob", false, hash}}; err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("%v, %v", all, err)
	}
	for _, bad := range []string{
		"ada", "ada:write", "ada:admin:" + hash, "ada:write:" + hash + "=", ":write:" + hash, "a b:read:" + hash, "a\x00b:read:" + hash,
		"ada:read:" + hash + "\nada:write:" + hash, strings.Repeat("x", maxName+1) + ":read:" + hash, "a\xff:read:" + hash,
	} {
		if all, err := Parse(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v, %v", bad, all, err)
		}
	}
	path := filepath.Join(t.TempDir(), "operators")
	if all, err := Read(path); all != nil || err != nil {
		t.Errorf("no file: %v, %v", all, err)
	}
	if err := Write(path, []Operator{{"ada", true, hash}}); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if err := os.Chmod(path, 0o620); err != nil {
		t.Fatal(err)
	}
	if all, err := Read(path); err == nil {
		t.Errorf("a file that others write: %v", all)
	}
}

func FuzzParseOperators(f *testing.F) {
	f.Add("ada:write:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc\n# x\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := Parse(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for i := range all {
			again.WriteString(all[i].line() + "\n")
		}
		if back, err := Parse(again.String()); err != nil || !reflect.DeepEqual(back, all) {
			t.Errorf("%q: %v, %v", text, back, err)
		}
	})
}

// A certificate of the page's is its name, and one that is renewed is taken.
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	writePair(t, certFile, keyFile, "gateway.example")
	r := newRig(t, func(c *Config) { c.Certificate, c.Key = certFile, keyFile })
	v := r.visitor()
	v.url = strings.Replace(r.url, "http:", "https:", 1)
	var seen string
	v.Transport = trusting(&seen)
	resp, _ := v.try("ada", passwordOf("ada"), "Host", "gateway.example")
	if c := resp.Cookies(); resp.StatusCode != http.StatusSeeOther || len(c) != 1 || !c[0].Secure || !strings.HasPrefix(c[0].Name, "__Host-") || seen != "gateway.example" {
		t.Errorf("%d, cookies %v, certificate of %q", resp.StatusCode, c, seen)
	}
	if resp.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
	v.want(http.StatusMisdirectedRequest, "GET", "/login", "Host", "other.example")
	writePair(t, certFile, keyFile, "other.example")
	v.CloseIdleConnections()
	v.want(200, "GET", "/login", "Host", "other.example")
	if seen != "other.example" {
		t.Errorf("after it was renewed: %q", seen)
	}
	if err := os.WriteFile(keyFile, []byte("half a key"), 0o600); err != nil { // while it is renewed
		t.Fatal(err)
	}
	v.CloseIdleConnections()
	v.want(200, "GET", "/login", "Host", "other.example")
}
