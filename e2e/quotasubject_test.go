// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// moreAddresses gives the client another address, and routes that use it.
func (r *quotaRig) moreAddresses(addr netip.Addr) {
	r.t.Helper()
	ctx := context.Background()
	if out, err := r.Client.Command(ctx, "ip", "addr", "replace", fmt.Sprintf("%s/%d", addr, map[bool]int{true: 24, false: 64}[addr.Is4()]), "dev", "eth0", "nodad").CombinedOutput(); err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
}

// fetchFrom fetches n bytes from one of the client's addresses.
func (r *quotaRig) fetchFrom(addr netip.Addr, n int64) error {
	to := r.ports[0]
	if addr.Is6() {
		to = r.ports[1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := r.Client.Command(ctx, "sh", "-c", fmt.Sprintf("curl -s -g -Y 1 -y 3 --interface %s --max-time 15 'http://%s/?n=%d' | wc -c", addr, to, n)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if want := fmt.Sprintln(n); string(out) != want {
		return fmt.Errorf("%s bytes of %d", out, n)
	}
	return nil
}

// known waits until an address has the client's MAC.
func (r *quotaRig) known(addr netip.Addr, field, want string) {
	r.t.Helper()
	r.eventually(addr.String()+" is known", func() error {
		_ = r.fetchFrom(addr, 1)
		if got := r.field("hosts", addr.String(), field); got != want {
			return fmt.Errorf("its %s is %q", field, got)
		}
		return nil
	})
}

// One device, three addresses of two families, one of which changes: one quota.
func TestQuotaOfADevice(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	r.start(inside, `
[[plan]]
name = "gear"
for = ["device `+lab.ClientMAC+`"]
volume = "4MB"
period = "none"
`)
	r.left("devices", lab.ClientMAC, "quota_remaining")
	second, moved := netip.MustParseAddr("fd77::22"), netip.MustParseAddr("192.168.77.22")
	r.moreAddresses(second)
	for _, a := range []netip.Addr{lab.Client4, lab.Client6, second} {
		r.known(a, "mac_address", lab.ClientMAC)
	}
	before, left := r.passed(), r.left("devices", lab.ClientMAC, "quota_remaining")
	for _, a := range []netip.Addr{lab.Client4, lab.Client6, second} {
		if err := r.fetchFrom(a, mega/2); err != nil {
			t.Errorf("from %s: %v", a, err)
		}
	}
	// The address changes.
	r.moreAddresses(moved)
	if out, err := r.Client.Command(context.Background(), "ip", "addr", "del", lab.Client4.String()+"/24", "dev", "eth0").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := r.Client.Command(context.Background(), "sh", "-c", "ip addr replace 192.168.77.22/24 dev eth0; ip route replace default via 192.168.77.1").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r.known(moved, "mac_address", lab.ClientMAC)
	if err := r.fetchFrom(moved, forever); err == nil {
		t.Error("the download from the changed address goes on for ever")
	}
	if got := r.passed() - before; got < left || got > left+twoFrames {
		t.Errorf("%d bytes passed of %d, from four addresses", got, left)
	}
	for _, a := range []netip.Addr{moved, lab.Client6, second} {
		if err := r.fetchFrom(a, 1); err == nil {
			t.Errorf("%s still has something left", a)
		}
	}
}

// One user, two devices: one quota. And a top-up lets an open connection go on.
func TestQuotaOfAUser(t *testing.T) {
	r := newQuotaRig(t, lab.Config{Guest: true})
	r.start(inside, `
[[plan]]
name = "waiting"
for = ["group kids"]
volume = "3MB"
period = "none"
then = "drop"
`)
	r.must("dictctl", "user", "bind", "tim", lab.ClientMAC, lab.GuestMAC)
	r.must("dictctl", "user", "groups", "tim", "kids")
	for _, from := range []*lab.Namespace{r.Client, r.Guest} {
		_ = r.download(from, 4, 1, time.Second)
	}
	for _, a := range []netip.Addr{lab.Client4, lab.Guest4} {
		r.eventually("the devices' addresses have a user", func() error {
			if got := r.field("hosts", a.String(), "username"); got != "tim" {
				return fmt.Errorf("%s has %q", a, got)
			}
			return nil
		})
	}
	before, left := r.passed(), r.left("users", "tim", "quota_remaining")
	if err := r.download(r.Guest, 4, mega, 10*time.Second); err != nil {
		t.Errorf("by the second device: %v", err)
	}
	// The rest goes by the first one, over a connection that stays.
	conn, err := r.Client.Dial(context.Background(), "tcp", r.ports[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	read := func(n int64) error {
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			return err
		}
		_, err := io.CopyN(io.Discard, conn, n)
		return err
	}
	if err := read(mega); err != nil {
		t.Fatalf("before the end: %v", err)
	}
	if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, conn, forever); !isTimeout(err) {
		t.Errorf("at the end: %v, want silence", err)
	}
	if got := r.passed() - before; got < left || got > left+twoFrames {
		t.Errorf("%d bytes passed of %d, by two devices", got, left)
	}
	if err := r.download(r.Guest, 4, 1, 2*time.Second); err == nil {
		t.Error("the other device goes on")
	}
	r.must("dictctl", "quota", "top-up", "user", "tim", "2MB")
	if err := read(mega); err != nil {
		t.Errorf("the same connection, after a top-up: %v", err)
	}
}

// What is throttled goes on, and slower; what is excepted goes on as before; a group
// shares one budget.
func TestQuotaThrottleExcept(t *testing.T) {
	r := newQuotaRig(t, lab.Config{Guest: true})
	r.start(inside, `
[[plan]]
name = "slow"
for = ["host `+lab.Client4.String()+`"]
volume = "1MB"
period = "none"
then = "throttle"

[[plan]]
name = "office"
for = ["group sales"]
shared = true
volume = "1MB"
period = "none"
except = { applications = ["WIKIPEDIA"] }
`)
	// The commands of the command line, as they are.
	r.must("tc", "qdisc", "del", "dev", "lan0", "root")
	r.must("sh", "-c", r.must("dictctl", "quota", "tc", "lan0", "1mbit"))
	r.known(lab.Client4, "mac_address", lab.ClientMAC)
	r.left("hosts", lab.Client4.String(), "quota_remaining")
	if err := r.download(r.Client, 4, 6*mega/5, 20*time.Second); err != nil && r.field("hosts", lab.Client4.String(), "quota_exceeded") != "true" {
		t.Errorf("before: %v", err)
	}
	if got := r.field("hosts", lab.Client4.String(), "quota_exceeded"); got != "true" {
		t.Errorf("quota_exceeded is %q", got)
	}
	start := time.Now()
	if err := r.download(r.Client, 4, mega/4, 20*time.Second); err != nil {
		t.Errorf("throttled: %v", err)
	}
	if took := time.Since(start); took < time.Second {
		t.Errorf("a quarter of a megabyte took %v at 1 Mbit/s", took)
	} else {
		t.Logf("250 kB at 1 Mbit/s took %v", took)
	}
	if err := r.download(r.Client, 6, 4*mega, 10*time.Second); err != nil {
		t.Errorf("an address that has no quota: %v", err)
	}

	// The guest's user shares the budget of his group.
	r.must("dictctl", "user", "bind", "sue", lab.GuestMAC)
	r.must("dictctl", "user", "groups", "sue", "sales")
	_ = r.download(r.Guest, 4, 1, time.Second)
	r.eventually("the guest shares a quota", func() error {
		if got := r.field("hosts", lab.Guest4.String(), "username") + r.field("users", "sue", "quota_group"); got != "suesales" {
			return errors.New(got)
		}
		return nil
	})
	before, err := strconv.ParseInt(r.field("groups", "sales", "quota_remaining"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.download(r.Guest, 4, 2*mega, 10*time.Second); err == nil {
		t.Error("the group's budget does not end")
	}
	after := r.left("groups", "sales", "quota_remaining")
	if after > 0 || after < -twoFrames || before < mega/2 {
		t.Errorf("%d is left of %d", after, before)
	}
	guest := r.Browser()
	guest.From, guest.Timeout = r.Guest, 5*time.Second
	if _, err := guest.Get(context.Background(), "https://en.wikipedia.org/"); err != nil {
		t.Errorf("an application that is excepted: %v", err)
	}
	if _, err := guest.Get(context.Background(), "https://example.org/"); err == nil {
		t.Error("another application passes")
	}
	r.must("dictctl", "quota", "top-up", "group", "sales", "1MB")
	if _, err := guest.Get(context.Background(), "https://example.org/"); err != nil {
		t.Errorf("after a top-up: %v", err)
	}
}

// What is not billed: packets that rules of others drop, traffic with the gateway,
// and what is exempt.
func TestQuotaNotBilled(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	r.start(inside, `
[quota]
exempt = ["2001:db8::2"]

[[plan]]
name = "daily"
for = ["device `+lab.ClientMAC+`"]
volume = "5MB"
period = "day"
`)
	for _, a := range []netip.Addr{lab.Client4, lab.Client6} {
		r.known(a, "mac_address", lab.ClientMAC)
	}
	if err := r.ServeHTTP(context.Background(), r.Gateway, "192.168.77.1:9191", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.CopyN(w, zeros{}, mega)
	})); err != nil {
		t.Fatal(err)
	}
	r.must("nft", "add table inet mine; add chain inet mine forward { type filter hook forward priority 0; }; add rule inet mine forward udp dport 4711 drop")
	left := r.left("devices", lab.ClientMAC, "quota_remaining")
	run := func(command string) {
		t.Helper()
		if out, err := r.Client.Command(context.Background(), "sh", "-c", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
	}
	run("curl -s --max-time 10 http://192.168.77.1:9191/ | wc -c | grep -qx 1000000")
	conn, err := r.Client.Dial(context.Background(), "udp", "192.0.2.2:4711")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 500 {
		if _, err := conn.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.fetchFrom(lab.Client6, 2*mega); err != nil {
		t.Errorf("from what is exempt: %v", err)
	}
	if now := r.left("devices", lab.ClientMAC, "quota_remaining"); now != left {
		t.Errorf("%d bytes were billed", left-now)
	}
	if err := r.fetchFrom(lab.Client4, mega); err != nil {
		t.Error(err)
	}
	if now := r.left("devices", lab.ClientMAC, "quota_remaining"); left-now < mega {
		t.Errorf("%d bytes were billed of a download of a megabyte", left-now)
	}
}
