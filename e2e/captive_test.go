// SPDX-License-Identifier: MIT

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// A client's configuration: it does not know the options by itself.
const captiveClient = `define 114 string captive_portal
define6 103 string captive_portal
definend 37 string captive_portal
option captive_portal
option dhcp6_captive_portal
option nd_captive_portal
noipv4ll
noarp
`

// The snippets for servers of addresses tell a real client where the portal's API is,
// by DHCP, DHCPv6 and router advertisements (RFC 8910).
func TestCaptiveOptions(t *testing.T) {
	const api = "https://portal.example.net:8443/api"
	snippet := func(name string) string {
		path, err := filepath.Abs("../docs/examples/captive/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, server := range []struct {
		name    string
		command []string
		told    []string
	}{
		{"dnsmasq", []string{"dnsmasq", "--conf-file=" + snippet("dnsmasq.conf"), "--keep-in-foreground", "--user=root", "--port=0", "--no-ping", "--interface=lan0",
			"--bind-interfaces", "--pid-file=", "--log-facility=-", "--dhcp-leasefile=%s/leases", "--dhcp-range=192.168.77.150,192.168.77.160,1h",
			"--dhcp-range=fd77::100,fd77::1ff,64,1h", "--enable-ra"}, []string{"new_captive_portal", "new_dhcp6_captive_portal"}},
		{"kea-dhcp4", []string{"env", "KEA_PIDFILE_DIR=%s", "KEA_LOCKFILE_DIR=%s", "KEA_DHCP_DATA_DIR=%s", "kea-dhcp4", "-c", snippet("kea-dhcp4.conf")}, []string{"new_captive_portal"}},
		{"kea-dhcp6", []string{"env", "KEA_PIDFILE_DIR=%s", "KEA_LOCKFILE_DIR=%s", "KEA_DHCP_DATA_DIR=%s", "kea-dhcp6", "-c", snippet("kea-dhcp6.conf")}, []string{"new_dhcp6_captive_portal"}},
		{"radvd", []string{"radvd", "-n", "-m", "stderr", "-p", "%s/pid", "-C", snippet("radvd.conf")}, []string{"nd1_captive_portal"}},
	} {
		t.Run(server.name, func(t *testing.T) {
			path := need.Program(t, server.name)
			if server.name == "radvd" {
				need.Feature(t, "radvd-captive", func() error { return exec.Command(path, "--configtest", "-C", snippet("radvd.conf")).Run() })
			}
			client := need.Program(t, "dhcpcd")
			l := labtest.New(t, lab.Config{})
			dir := t.TempDir()
			for i, arg := range server.command {
				server.command[i] = strings.ReplaceAll(arg, "%s", dir)
			}
			private(t, l.Gateway, "/var/lib/kea")
			labtest.Run(t, l.Gateway, server.command...)
			told := filepath.Join(dir, "told")
			for name, text := range map[string]string{"dhcpcd.conf": captiveClient, "hook": fmt.Sprintf("#!/bin/sh\nenv >> %s\n", told)} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			private(t, l.Client, "/var/lib/dhcpcd")
			private(t, l.Client, "/run/dhcpcd")
			labtest.Run(t, l.Client, client, "-B", "-f", filepath.Join(dir, "dhcpcd.conf"), "-c", filepath.Join(dir, "hook"), "eth0")
			for _, name := range server.told {
				want := name + "=" + api + "\n"
				for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
					if text, _ := os.ReadFile(told); strings.Contains(string(text), want) {
						break
					}
					if time.Now().After(end) {
						text, _ := os.ReadFile(told)
						t.Fatalf("it has not heard %q:\n%s", want, text)
					}
				}
			}
		})
	}
}

// private gives a namespace a directory of its own, which the machine may not have.
func private(t *testing.T, ns *lab.Namespace, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err == nil {
		t.Cleanup(func() { os.Remove(dir) })
	} else if !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	if err := ns.Mount("tmpfs", dir); err != nil {
		t.Fatal(err)
	}
}
