// SPDX-License-Identifier: MIT

package lab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// context returns one that ends before a hanging test would annoy.
func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// client eth0 ---- lan0 gateway wan0 ---- eth0 internet
// guest  eth0 ---- lan1 gateway
func TestTopology(t *testing.T) {
	start := time.Now()
	l := labtest.New(t, lab.Config{Guest: true})
	t.Logf("set up in %v", time.Since(start))
	ctx := timeout(t)

	site, _ := l.Site("netflix.com")
	for _, c := range []struct {
		from *lab.Namespace
		to   netip.Addr
	}{
		{l.Client, lab.GatewayLAN4}, {l.Client, lab.GatewayLAN6},
		{l.Client, lab.Internet4}, {l.Client, lab.Internet6},
		{l.Client, site.Addr4}, {l.Client, site.Addr6},
		{l.Client, lab.Guest4}, {l.Client, lab.Guest6},
		{l.Guest, site.Addr4}, {l.Guest, site.Addr6},
		{l.Internet, lab.Client4}, {l.Internet, lab.Client6},
		{l.Gateway, lab.Internet4}, {l.Gateway, lab.Guest6},
	} {
		if err := c.from.Ping(ctx, c.to); err != nil {
			t.Error(err)
		}
	}
	t.Logf("all reached after %v", time.Since(start))

	if err := l.Client.Ping(short(t), netip.MustParseAddr("192.168.77.99")); err == nil {
		t.Error("an address nobody has answers")
	}

	capture := labtest.Capture(t, l.Gateway, "lan0")
	if err := l.Client.Ping(ctx, lab.Internet4); err != nil {
		t.Fatal(err)
	}
	packets, err := capture.Packets()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", packets[0].Frame[6:12]); got != strings.ReplaceAll(lab.ClientMAC, ":", "") {
		t.Errorf("source address of the client's packet: %s, want %s", got, lab.ClientMAC)
	}
}

func short(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestPrograms(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	for _, c := range []struct {
		name string
		argv []string
		want string
	}{
		{"https v4", []string{"curl", "-4sS", "https://www.netflix.com/"}, "hello from www.netflix.com"},
		{"https v6", []string{"curl", "-6sS", "https://www.youtube.com/"}, "hello from www.youtube.com"},
		{"https other port", []string{"curl", "-sS", "https://example.org:8443/"}, "hello from example.org"},
		{"http", []string{"curl", "-4sS", "http://example.org/"}, "hello from example.org"},
		{"http other port", []string{"curl", "-6sS", "http://example.org:8080/"}, "hello from example.org"},
		{"openssl", []string{"openssl", "s_client", "-connect", "netflix.com:443", "-servername", "netflix.com", "-verify_return_error"}, "Verify return code: 0 (ok)"},
		{"openssl without name", []string{"openssl", "s_client", "-connect", "netflix.com:443", "-noservername"}, "CN = netflix.com"},
		{"dig a", []string{"dig", "+short", "www.youtube.com"}, "youtube-ui.l.google.com.\n198.51.100."},
		{"dig aaaa", []string{"dig", "+short", "netflix.com", "aaaa"}, "2001:db8:100::"},
		{"dig tcp v6", []string{"dig", "+short", "+tcp", "@2001:db8::53", "netflix.com"}, "198.51.100."},
		{"dig no such name", []string{"dig", "nobody.example"}, "NXDOMAIN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			need.Program(t, c.argv[0])
			cmd := l.Client.Command(timeout(t), c.argv[0], c.argv[1:]...)
			cmd.Stdin = strings.NewReader("")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if !bytes.Contains(out, []byte(c.want)) {
				t.Errorf("output lacks %q:\n%s", c.want, out)
			}
		})
	}
	if got := l.Hits("www.netflix.com"); got != 1 {
		t.Errorf("hits of www.netflix.com: %d, want 1", got)
	}
}

func TestCommandSeesHostAndPrivateMounts(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	ctx := timeout(t)
	target := t.TempDir()
	if err := l.Gateway.Mount("tmpfs", target); err != nil {
		t.Fatal(err)
	}
	if out, err := l.Gateway.Command(ctx, "sh", "-c", `touch "$0"/inside && ls /sys/fs >/dev/null`, target).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := l.Gateway.Command(ctx, "ls", target).Output(); err != nil || string(out) != "inside\n" {
		t.Errorf("the gateway sees %q, %v", out, err)
	}
	if left, err := os.ReadDir(target); err != nil || len(left) != 0 {
		t.Errorf("the host sees %v, %v", left, err)
	}
	if err := l.Gateway.Mount("nosuchfs", target); err == nil {
		t.Error("mounted a file system that does not exist")
	}
}

func TestSysctl(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	before, err := os.ReadFile("/proc/sys/net/ipv4/conf/all/route_localnet")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Gateway.Sysctl("net.ipv4.conf.all.route_localnet", "1"); err != nil {
		t.Fatal(err)
	}
	out, err := l.Gateway.Command(timeout(t), "cat", "/proc/sys/net/ipv4/conf/all/route_localnet").Output()
	if err != nil || string(out) != "1\n" {
		t.Errorf("in the gateway: %q, %v", out, err)
	}
	after, err := os.ReadFile("/proc/sys/net/ipv4/conf/all/route_localnet")
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("on the host: %q, was %q (%v)", after, before, err)
	}
	if err := l.Gateway.Sysctl("net.ipv4.no_such", "1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unknown sysctl: %v", err)
	}
}

func TestNamed(t *testing.T) {
	ip := need.Program(t, "ip")
	l := labtest.New(t, lab.Config{Named: true})
	path := filepath.Join("/run/netns", l.NetnsName(l.Gateway))
	out, err := l.Internet.Command(timeout(t), ip, "netns", "exec", l.NetnsName(l.Gateway), "ip", "-br", "link").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("wan0")) {
		t.Errorf("ip netns exec: %v\n%s", err, out)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}

func TestBadSites(t *testing.T) {
	need.Root(t)
	for _, sites := range [][]lab.Site{
		{{Name: ""}},
		{{Name: "a..b"}},
		{{Name: "twice.example"}, {Name: "Twice.Example."}},
		{{Name: "swapped.example", Addr4: lab.Internet6}},
		make([]lab.Site, 300),
	} {
		l, err := lab.New(t.Context(), lab.Config{Sites: sites})
		if err == nil {
			l.Close()
			t.Errorf("sites %v: accepted", sites[0])
		} else if !strings.Contains(err.Error(), "site \"") {
			t.Errorf("sites %v: %v", sites[0], err)
		}
	}
}
