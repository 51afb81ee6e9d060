// SPDX-License-Identifier: MIT

package config

import (
	"strings"
	"testing"

	"nftdict/dictd/portal"
)

// A portal that could not let anybody in, or would not keep anybody out, is refused.
func TestPortalRefusals(t *testing.T) {
	const on = "[portal]\nenable = true\ninterfaces = [\"lan0\"]\n"
	for text, want := range map[string]string{
		"[portal]\nenable = true":                        "portal.interfaces []",
		"[portal]\ninterfaces = [\"a b\"]":               `portal.interfaces "a b"`,
		on + "[identity]\nhosts = 0":                     "identity.hosts 0",
		on + "[identity]\ninterfaces = [\"lan1\"]":       `portal.interfaces in it, too: "lan0"`,
		on + "ways = []":                                 "nobody could log in",
		on + "ways = [\"click\", \"click\"]":             `portal.ways "click"`,
		on + "ways = [\"knock\"]":                        `portal.ways "knock"`,
		on + "garden = [\"apple.com\"]":                  "captive.apple.com",
		on + "garden = [\"*.example.org\"]":              `portal.garden "*.example.org"`,
		on + "garden_prefixes = [\"0.0.0.0/0\"]":         "portal.garden_prefixes 0.0.0.0/0",
		on + "garden_prefixes = [\"2000::/3\"]":          "portal.garden_prefixes 2000::/3",
		on + "garden_prefixes = [\"example.org\"]":       `portal.garden_prefixes "example.org"`,
		on + "dns = [\"x\"]":                             `portal.dns "x"`,
		on + "http = 0":                                  "portal.http 0",
		on + "https = 8880":                              "portal.https 8880",
		on + "priority = -500":                           "portal.priority -500",
		on + "session = -1":                              "portal.session -1",
		on + "idle = -1":                                 "portal.idle -1",
		on + "devices = -1":                              "portal.devices -1",
		on + "devices_over = \"newest\"":                 `portal.devices_over "newest"`,
		on + "certificate = \"/etc/x.pem\"":              "portal.certificate",
		on + "certificate = \"x.pem\"\nkey = \"/etc/x\"": `portal.certificate "x.pem"`,
		on + "user = \"root\"":                           `portal.user "root"`,
		on + "theme = \"theme\"":                         `portal.theme "theme"`,
		on + "name = \"a b\"":                            "name",
		on + "venue_url = \"javascript:x\"":              "venue_url",
		on + "[[plan]]\nname = \"portal\"\nfor = [\"users\"]\nvolume = \"1MB\"\nperiod = \"day\"": `plan "portal"`,
		on + "ways = [\"radius\"]":                                                                  "portal.radius.server",
		on + "[[portal.radius.server]]\nauth = \"x\"\nsecret = \"y\"":                               "portal.radius.server.auth",
		on + "[[portal.radius.server]]\nauth = \"192.0.2.7:1812\"":                                  "secret_file",
		on + "[portal.radius]\ntimeout = 0":                                                         "portal.radius.timeout",
		on + "[portal.radius]\ngroups = [\"User-Name\"]":                                            `portal.radius.groups "User-Name"`,
		on + "[portal.radius]\nlisten = [\"3799\"]":                                                 `portal.radius.listen "3799"`,
		on + "ways = [\"oidc\"]":                                                                    "portal.oidc.issuer",
		on + "ways = [\"oidc\"]\n[portal.oidc]\nissuer = \"https://id.example\"":                    "portal.oidc.client_id",
		on + "ways = [\"oidc\"]\n[portal.oidc]\nissuer = \"https://id.example\"\nclient_id = \"x\"": "portal.name",
		on + "[portal.oidc]\nsecret = \"x\"\nsecret_file = \"/y\"":                                  "portal.oidc",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	c, err := Parse([]byte(on + "garden_prefixes = [\"192.0.2.0/24\", \"192.0.2.1\"]\ndns = [\"192.0.2.53\"]\ngarden = [\"example.org\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	plans, err := c.QuotaPlans()
	if err != nil || len(plans) != 1 || plans[0].Name != PortalPlan || plans[0].For[0].Name != portal.VolumeGroup {
		t.Errorf("plans %v, %v", plans, err)
	}
	if got, err := c.Portal.GardenPrefixes(); err != nil || len(got) != 1 {
		t.Errorf("garden %v, %v", got, err)
	}
}

// The provider that browsers are led to is in the garden, by its name or its address.
func TestProviderInGarden(t *testing.T) {
	const on = "[portal]\nenable = true\ninterfaces = [\"lan0\"]\nname = \"portal.example\"\nself_signed = true\nways = [\"oidc\"]\n[portal.oidc]\nclient_id = \"x\"\n"
	c, err := Parse([]byte(on + "issuer = \"https://ID.example/realm\""))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := c.Portal.GardenDomains(); err != nil || !d.Has("www.id.example") || c.Portal.OIDC.client(&c.Portal).Redirect != "https://portal.example:8443/finish/oidc" {
		t.Errorf("garden %v, %v; back to %s", d, err, c.Portal.OIDC.client(&c.Portal).Redirect)
	}
	c, err = Parse([]byte(on + "issuer = \"https://[2001:db8::7]:8000\""))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := c.Portal.GardenPrefixes(); err != nil || len(p) != 1 || p[0].String() != "2001:db8::7/128" {
		t.Errorf("garden %v, %v", p, err)
	}
}

// What takes a restart stays as it is, whatever a reload brings.
func TestPortalReloaded(t *testing.T) {
	was := defaultPortal()
	now := was
	now.Enable, now.HTTP, now.Cert, now.Key, now.Session, now.Garden = true, 80, "/a", "/b", 5, []string{"example.org"}
	got := now.Reloaded(&was)
	if got.Enable || got.HTTP != was.HTTP || got.Cert != "" || got.Key != "" || got.Session != 5 || len(got.Garden) != 1 {
		t.Errorf("got %+v", got)
	}
}

// Names that people choose at a provider are no danger where nobody else has names.
func TestNamesMix(t *testing.T) {
	for _, c := range []struct {
		claim string
		ways  []string
		want  bool
	}{
		{"email", []string{"account", "radius", "oidc"}, false}, {"sub", []string{"account", "oidc"}, false},
		{"preferred_username", []string{"oidc", "click", "voucher"}, false}, {"preferred_username", []string{"account", "radius"}, false},
		{"preferred_username", []string{"account", "oidc"}, true}, {"nickname", []string{"oidc", "radius"}, true},
	} {
		p := Portal{Ways: c.ways, OIDC: PortalOIDC{UserClaim: c.claim}}
		if got := p.NamesMix(); got != c.want {
			t.Errorf("%s with %q: %v", c.claim, c.ways, got)
		}
	}
}
