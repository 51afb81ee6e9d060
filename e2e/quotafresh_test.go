// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// Addresses that nobody has seen yet, of both families, are no way around a budget:
// the frame tells whose packet it is, be the address asked for ever or not.
func TestQuotaOfFreshAddresses(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	r.start(inside, `
[[plan]]
name = "monthly"
for = ["users"]
volume = "1MB"
period = "none"
`)
	r.must("dictctl", "user", "bind", "bob", lab.ClientMAC)
	r.settled(r.Client, lab.Client4.String(), "bob")
	// Nobody answers, so that nobody asks for the senders.
	silent := netip.MustParseAddrPort("[2001:db8::2]:9091")
	deaf, err := r.Internet.ListenPacket(context.Background(), "udp", silent.String())
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	fresh := [2]netip.Addr{netip.MustParseAddr("fd77::1:0"), netip.MustParseAddr("192.168.77.100")}
	send := func() error {
		fresh[0] = fresh[0].Next()
		r.moreAddresses(fresh[0])
		return r.Client.Do(func() error {
			conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(fresh[0], 0)), net.UDPAddrFromAddrPort(silent))
			if err != nil {
				return err
			}
			defer conn.Close()
			for range 10 {
				if _, err := conn.Write(make([]byte, 1000)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	before, left := r.level("users", "bob", "quota_remaining")
	for range 5 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("they are through", func() error { // neighbours may have been asked for first
		if passed := r.passed() - before; passed < 50000 {
			return fmt.Errorf("%d bytes", passed)
		}
		return nil
	})
	passed, now := r.level("users", "bob", "quota_remaining")
	if passed-before != left-now {
		t.Errorf("%d bytes passed from addresses that are new, %d were charged", passed-before, left-now)
	}
	if got := r.field("hosts", fresh[0].String(), "mac_address"); got != "" {
		t.Errorf("somebody asked for %s: this shows nothing", fresh[0])
	}
	_ = r.fetchFrom(lab.Client4, 2*mega)
	before, _ = r.level("users", "bob", "quota_remaining")
	for i := range 4 {
		_ = send() // it may be told that it must not
		fresh[i%2] = fresh[i%2].Next()
		r.moreAddresses(fresh[i%2])
		if err := r.connectFrom(fresh[i%2]); err == nil {
			t.Errorf("a connection from %s", fresh[i%2])
		}
	}
	if passed := r.passed() - before; passed > 0 {
		t.Errorf("%d bytes passed of a budget that is used up", passed)
	}
}

// connectFrom connects to the file from one of the client's addresses.
func (r *quotaRig) connectFrom(addr netip.Addr) error {
	to := r.ports[0]
	if addr.Is6() {
		to = r.ports[1]
	}
	return r.Client.Do(func() error {
		conn, err := (&net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)), Timeout: 3 * time.Second}).Dial("tcp", to.String())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}
