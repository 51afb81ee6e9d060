// SPDX-License-Identifier: MIT

package radius

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"nftdict/internal/lab/freeradius"
	"nftdict/internal/need"
)

// secret is what server and portal share.
const secret = "between us"

// server is a real one.
type server struct {
	freeradius.Server
	stop func()
}

// startServer runs one that knows some users until the test ends, or stop is called.
func startServer(t *testing.T, users string) *server {
	t.Helper()
	path := need.Program(t, "freeradius")
	f := &server{Server: freeradius.Server{
		Dir: t.TempDir(), Auth: netip.AddrPortFrom(loopback, freePort(t)), Acct: netip.AddrPortFrom(loopback, freePort(t)),
		Client: netip.PrefixFrom(loopback, 32), Secret: secret, Users: users,
	}}
	args, err := f.Write()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	stopped := false
	f.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(f.stop)
	// It is there when both of its ports are taken.
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if taken(f.Auth.Port()) && taken(f.Acct.Port()) {
			return f
		}
		if time.Now().After(end) {
			f.stop()
			t.Fatalf("freeradius does not listen:\n%s", out.String())
		}
	}
}

// peer is it as a Way is told of it.
func (f *server) peer() Server { return Server{f.Auth, f.Acct, []byte(secret)} }

var loopback = netip.MustParseAddr("127.0.0.1")

func freePort(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return uint16(c.LocalAddr().(*net.UDPAddr).Port)
}

func taken(port uint16) bool {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, port)))
	if err != nil {
		return true
	}
	c.Close()
	return false
}
