// SPDX-License-Identifier: MIT

package lab_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// run runs a command that must succeed and returns its output.
func run(t *testing.T, n *lab.Namespace, argv ...string) string {
	t.Helper()
	out, err := n.Command(timeout(t), argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s in %s: %v\n%s", strings.Join(argv, " "), n.Name(), err, out)
	}
	return string(out)
}

// client curl ---- lan0 gateway (nat, page at 127.0.0.1:80) wan0 ---- internet
//
// A rule of stock nft in the gateway turns the client to the portal's page and
// lets it go again; the guest is never turned.
func TestPortalByNft(t *testing.T) {
	nft := need.Program(t, "nft")
	l := labtest.New(t, lab.Config{Guest: true})
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "please log in") })
	if err := l.ServeHTTP(timeout(t), l.Gateway, "127.0.0.1:80", page); err != nil {
		t.Fatal(err)
	}
	if err := l.Gateway.Sysctl("net.ipv4.conf.all.route_localnet", "1"); err != nil {
		t.Fatal(err)
	}
	run(t, l.Gateway, nft, "add table ip nat; add chain ip nat pre { type nat hook prerouting priority -100; }; "+
		"add rule ip nat pre ip saddr "+lab.Client4.String()+" tcp dport 80 dnat to 127.0.0.1:80")
	fetch := func(n *lab.Namespace) string {
		t.Helper()
		return run(t, n, "curl", "-4sS", "--max-time", "5", "http://example.org/")
	}
	if got := fetch(l.Client); got != "please log in\n" {
		t.Errorf("the client, caught: %q", got)
	}
	if got := fetch(l.Guest); got != "hello from example.org\n" {
		t.Errorf("the guest: %q", got)
	}
	run(t, l.Gateway, nft, "flush chain ip nat pre")
	if got := fetch(l.Client); got != "hello from example.org\n" {
		t.Errorf("the client, free: %q", got)
	}
}

// The first question is lost; it is asked again.
func TestLookupAsksAgain(t *testing.T) {
	nft := need.Program(t, "nft")
	l := labtest.New(t, lab.Config{})
	run(t, l.Gateway, nft, "add table inet f; add chain inet f forward { type filter hook forward priority 0; }; "+
		"add rule inet f forward udp dport 53 limit rate 1/day burst 1 packets counter drop")
	if _, err := l.Lookup(timeout(t), l.Client, "example.org", 4); err != nil {
		t.Error(err)
	}
	if rules := run(t, l.Gateway, nft, "list chain inet f forward"); !strings.Contains(rules, "counter packets 1 ") {
		t.Errorf("none was lost:\n%s", rules)
	}
}

// client ---- lan0 gateway (forward: reject) wan0 ---- internet (capture)
func TestRejectByNft(t *testing.T) {
	nft := need.Program(t, "nft")
	l := labtest.New(t, lab.Config{})
	v, err := l.Browser().Open("https://www.netflix.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.Get(timeout(t), "/"); err != nil {
		t.Fatal(err)
	}
	site, _ := l.Site("www.netflix.com")
	run(t, l.Gateway, nft, "add table inet f; add chain inet f forward { type filter hook forward priority 0; }; "+
		"add rule inet f forward ip daddr "+site.Addr4.String()+" meta l4proto tcp reject with tcp reset")
	capture := labtest.Capture(t, l.Client, "eth0")
	start := time.Now()
	if body, err := v.Get(timeout(t), "/"); err == nil {
		t.Errorf("an open connection goes on: %q", body)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the reset took %v", took)
	}
	resets, err := capture.Segments(func(s lab.Segment) bool { return s.RST })
	if err != nil || len(resets) == 0 {
		t.Errorf("no reset seen (%v)", err)
	}
	run(t, l.Client, "curl", "-4sS", "--max-time", "5", "https://example.org/")
	run(t, l.Client, "curl", "-6sS", "--max-time", "5", "https://www.netflix.com/")
}

// A bpffs mounted for the gateway is its own and goes with it.
func TestPrivateBPFFS(t *testing.T) {
	const target = "/sys/fs/bpf"
	l := labtest.New(t, lab.Config{})
	need.Feature(t, "bpffs", func() error {
		_, err := os.Stat(target)
		return err
	})
	before, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Gateway.Mount("bpf", target); err != nil {
		t.Fatal(err)
	}
	run(t, l.Gateway, "mkdir", target+"/inside")
	if got := run(t, l.Gateway, "ls", target); !strings.Contains(got, "inside") {
		t.Errorf("the gateway sees %q", got)
	}
	if after, err := os.ReadFile("/proc/self/mounts"); err != nil || string(after) != string(before) {
		t.Errorf("the host's mounts changed (%v)", err)
	}
}

func BenchmarkNew(b *testing.B) {
	need.Root(b)
	need.Feature(b, "netns", lab.Probe)
	for b.Loop() {
		l, err := lab.New(context.Background(), lab.Config{Guest: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
