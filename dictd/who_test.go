// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// soon is within what a change may take to reach the dictionaries, and what a
// busy machine adds.
func soon(t *testing.T, what string, f func() bool) {
	t.Helper()
	const allowed = 100 * time.Millisecond
	start := time.Now()
	eventually(t, what, f)
	if took := time.Since(start); took > allowed {
		t.Logf("%s: took %v, on this machine now", what, took)
	}
}

// field returns a field of a row, "" if there is no row or no field.
func field(s dict.Store, table string, key dict.Key, name string) string {
	row, err := s.Get(table, key)
	if err != nil {
		return ""
	}
	return value(row, name)
}

// The client's addresses of both families, a temporary one too, are one device;
// its user is told of live sessions; another MAC is another device.
func TestWhoIsBehind(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		dir := t.TempDir()
		r := startOn(t, l.Gateway, on, func(c *config.Config) { c.State = dir })
		c := api.NewClient(r.config.Load().Socket)
		const temporary = "fd77::aaaa:bbbb"
		run(t, l.Client, "ip", "address", "add", temporary+"/64", "dev", "eth0", "nodad")
		fetch(t, l, 4, false, "http://example.org/")
		fetch(t, l, 6, false, "http://example.org/")
		for _, from := range []string{lab.Client6.String(), temporary} { // one of them it was
			run(t, l.Client, "ping", "-c1", "-W5", "-I", from, lab.GatewayLAN6.String())
		}
		addrs := []netip.Addr{lab.Client4, lab.Client6, netip.MustParseAddr(temporary)}
		for _, a := range addrs {
			soon(t, a.String()+" has its row", func() bool {
				return field(on.Store, dict.Hosts, dict.AddrKey(a), "mac_address") == lab.ClientMAC
			})
			if got := field(on.Store, dict.Hosts, dict.AddrKey(a), "interface"); got != "lan0" {
				t.Errorf("%s: interface %q", a, got)
			}
		}
		soon(t, "the user agent is known", func() bool {
			return field(on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "http_user_agent") == "Go-http-client/1.1"
		})
		if got := field(on.Store, dict.Hosts, dict.AddrKey(lab.Internet4), "mac_address"); got != "" {
			t.Errorf("the internet is a device: %s", got)
		}
		device, err := dict.ParseKey(dict.KeyEther, lab.ClientMAC)
		if err != nil {
			t.Fatal(err)
		}
		// Its name is leased, to one of its addresses.
		leases := r.config.Load().Identity.Leases[0]
		if err := os.WriteFile(leases, []byte("0 "+lab.ClientMAC+" 192.168.77.200 Laptop *\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs {
			soon(t, "the name is known", func() bool { return field(on.Store, dict.Hosts, dict.AddrKey(a), "hostname") == "laptop" })
		}

		// A connection that lives while its client gets a user.
		site, _ := l.Site("www.netflix.com")
		conn := fromPort(t, l, 43000, netip.AddrPortFrom(site.Addr4, 80))
		defer conn.Close()
		quiesce(t, r)
		live := one(t, on.Store, map[string]string{"client_port": "43000"}).Key
		if err := c.SetUser(t.Context(), "bob", []string{"staff", "sales"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Bind(t.Context(), lab.Client4.String(), "bob"); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]string{
			"sessions": field(on.Store, dict.Sessions, live, "username"), "devices": field(on.Store, dict.Devices, device, "username"),
			"hosts": field(on.Store, dict.Hosts, dict.AddrKey(addrs[2]), "username"),
		} {
			if got != "bob" {
				t.Errorf("%s: username %q", name, got)
			}
		}
		key, err := dict.StringKey("bob")
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{field(on.Store, dict.Sessions, live, "usergroups"), field(on.Store, dict.Users, key, "usergroups")} {
			if got != "sales,staff" {
				t.Errorf("usergroups %q", got)
			}
		}
		fetch(t, l, 6, false, "https://www.netflix.com/")
		if len(rows(t, on.Store, map[string]string{"family": "6", "application": "NETFLIX", "username": "bob"})) == 0 {
			t.Error("a new session does not say whose it is")
		}
		if got := field(on.Store, dict.Sessions, live, "client_hostname"); got != "laptop" {
			t.Errorf("client_hostname %q", got)
		}

		// A daemon that comes after says the same.
		r.stop()
		r = startOn(t, l.Gateway, on, func(c *config.Config) { c.State = dir })
		c = api.NewClient(r.config.Load().Socket)
		if got := field(on.Store, dict.Sessions, live, "username"); got != "bob" {
			t.Errorf("after a restart: username %q", got)
		}

		// The address goes to another device, which is nobody's.
		const other = "02:00:00:00:77:99"
		run(t, l.Client, "ip", "link", "set", "eth0", "address", other)
		run(t, l.Gateway, "ip", "neigh", "replace", lab.Client4.String(), "lladdr", other, "dev", "lan0", "nud", "stale")
		soon(t, "the address has moved", func() bool {
			return field(on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "mac_address") == other
		})
		soon(t, "nobody has the session", func() bool { return field(on.Store, dict.Sessions, live, "username") == "" })
		if got := field(on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "username"); got != "" {
			t.Errorf("the other device is %q's", got)
		}
		devices, err := c.Devices(t.Context())
		if err != nil || len(devices) != 2 {
			t.Errorf("devices %+v, %v", devices, err)
		}
	})
}
