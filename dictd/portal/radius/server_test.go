// SPDX-License-Identifier: MIT

package radius

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/internal/need"
)

// secret is what server and portal share.
const secret = "between us"

// configuration of a server: %[1]s is its directory, %[2]s the secret, %[3]d and %[4]d
// are its ports.
const configuration = `
prefix = /usr
logdir = %[1]s
raddbdir = %[1]s
libdir = /usr/lib/freeradius
run_dir = %[1]s
name = radius
max_request_time = 10
cleanup_delay = 2
max_requests = 1024
proxy_requests = no
log {
	destination = stdout
}
security {
	reject_delay = 0
	status_server = no
	allow_vulnerable_openssl = yes
}
client portal {
	ipaddr = 127.0.0.1
	secret = "%[2]s"
	require_message_authenticator = yes
}
modules {
	pap {
	}
	files {
		filename = %[1]s/users
	}
	detail {
		filename = %[1]s/detail
	}
}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = %[3]d
	}
	listen {
		type = acct
		ipaddr = 127.0.0.1
		port = %[4]d
	}
	authorize {
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
	}
	post-auth {
		update reply {
			&Message-Authenticator := 0x00
		}
		Post-Auth-Type REJECT {
			update reply {
				&Message-Authenticator := 0x00
			}
		}
	}
	accounting {
		detail
	}
}
`

// freeradius is a real server.
type freeradius struct {
	dir string
	Server
	stop func()
}

// startServer runs one that knows some users until the test ends, or stop is called.
func startServer(t *testing.T, users string) *freeradius {
	t.Helper()
	path := need.Program(t, "freeradius")
	f := &freeradius{dir: t.TempDir()}
	auth, acct := freePort(t), freePort(t)
	f.Server = Server{netip.AddrPortFrom(loopback, auth), netip.AddrPortFrom(loopback, acct), []byte(secret)}
	for name, text := range map[string]string{"radiusd.conf": fmt.Sprintf(configuration, f.dir, secret, auth, acct), "users": users} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-f", "-l", "stdout", "-d", f.dir, "-D", "/usr/share/freeradius")
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
		if taken(auth) && taken(acct) {
			return f
		}
		if time.Now().After(end) {
			f.stop()
			t.Fatalf("freeradius does not listen:\n%s", out.String())
		}
	}
}

// told returns what the server has heard of sessions.
func (f *freeradius) told(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, "detail"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\t", "")
}

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
