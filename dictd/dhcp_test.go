// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// The servers of addresses whose files are read, as their own programs write them.
var addressServers = []struct {
	name, leases string
	command      func(t *testing.T, dir string) []string
}{
	{"dnsmasq", "dnsmasq.leases", func(_ *testing.T, dir string) []string {
		return []string{"dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground", "--user=root", "--port=0", "--no-ping", "--interface=lan0", "--bind-interfaces",
			"--pid-file=", "--log-facility=-", "--dhcp-authoritative", "--dhcp-range=192.168.77.150,192.168.77.160,1h", "--dhcp-leasefile=" + dir + "/dnsmasq.leases"}
	}},
	{"kea-dhcp4", "kea-leases4.csv", func(t *testing.T, dir string) []string {
		text := fmt.Sprintf(`{"Dhcp4": {
	"interfaces-config": {"interfaces": ["lan0"], "dhcp-socket-type": "raw"},
	"lease-database": {"type": "memfile", "persist": true, "name": %q},
	"subnet4": [{"subnet": "192.168.77.0/24", "interface": "lan0", "pools": [{"pool": "192.168.77.150 - 192.168.77.160"}]}],
	"valid-lifetime": 3600, "authoritative": true, "loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stderr"}], "severity": "WARN"}]
}}`, dir+"/kea-leases4.csv")
		file := filepath.Join(dir, "kea.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"env", "KEA_PIDFILE_DIR=" + dir, "KEA_LOCKFILE_DIR=" + dir, "kea-dhcp4", "-c", file}
	}},
}

// A device asks a real server for an address: the name that it says to the server is
// in the row of that address.
func TestLeaseOfServers(t *testing.T) {
	need.Program(t, "udhcpc")
	for _, server := range addressServers {
		t.Run(server.name, func(t *testing.T) {
			need.Program(t, server.name)
			backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
				dir := t.TempDir()
				startOn(t, l.Gateway, on, func(c *config.Config) { c.Identity.Leases = []string{filepath.Join(dir, server.leases)} })
				labtest.Run(t, l.Gateway, server.command(t, dir)...)
				address := askAddress(t, l.Client, dir, "toaster")
				run(t, l.Client, "ip", "address", "add", address+"/24", "dev", "eth0")
				run(t, l.Client, "ping", "-c1", "-W5", "-I", address, lab.GatewayLAN4.String())
				key, err := dict.ParseKeyText(dict.KeyAddress, address)
				if err != nil {
					t.Fatal(err)
				}
				eventually(t, "the lease's name", func() bool { return field(on.Store, dict.Hosts, key, "hostname") == "toaster" })
				if got := field(on.Store, dict.Hosts, key, "mac_address"); got != lab.ClientMAC {
					t.Errorf("mac_address %q", got)
				}
			})
		})
	}
}

// askAddress asks for an address under a name, and returns it.
func askAddress(t *testing.T, ns *lab.Namespace, dir, name string) string {
	t.Helper()
	script := filepath.Join(dir, "bound")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n[ \"$1\" != bound ] || echo -n \"$ip\" > "+dir+"/address\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, ns, "udhcpc", "-f", "-q", "-n", "-T", "1", "-t", "30", "-i", "eth0", "-s", script, "-x", "hostname:"+name)
	b, err := os.ReadFile(filepath.Join(dir, "address"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
