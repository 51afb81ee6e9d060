// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// An access point, which the lab's client is too, says who uses the client: its
// living connections say so, over a restart, until it says that he has left.
func TestLogins(t *testing.T) {
	path := need.Program(t, "radclient")
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		at := netip.AddrPortFrom(lab.GatewayLAN4, 1813)
		dir := t.TempDir()
		change := func(c *config.Config) {
			c.State = filepath.Join(dir, "state")
			c.RADIUS.Listen = []string{at.String()}
			c.RADIUS.Clients = []config.RADIUSClient{{Address: lab.Client4.String(), Secret: "testing123"}}
		}
		r := startOn(t, l.Gateway, on, change)
		say := func(what string) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := l.Client.Command(ctx, path, "-r", "10", "-t", "2", at.String(), "acct", "testing123")
			cmd.Stdin = strings.NewReader("Acct-Session-Id = s1\nNAS-Identifier = ap1\nUser-Name = bob\nCalling-Station-Id = \"" + lab.ClientMAC + "\"\nFilter-Id = staff\nAcct-Status-Type = " + what + "\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", what, err, out)
			}
		}
		site, _ := l.Site("www.netflix.com")
		conn := fromPort(t, l, 43000, netip.AddrPortFrom(site.Addr4, 80))
		defer conn.Close()
		quiesce(t, r)
		live := one(t, on.Store, map[string]string{"client_port": "43000"}).Key
		says := func(what, user, groups string) {
			t.Helper()
			eventually(t, what, func() bool {
				return field(on.Store, dict.Sessions, live, "username") == user && field(on.Store, dict.Sessions, live, "usergroups") == groups
			})
		}
		start := time.Now()
		say("Start")
		says("he is there", "bob", "staff")
		t.Logf("in living sessions %v after it was said, with the client's own start", time.Since(start))
		if got := field(on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "username"); got != "bob" {
			t.Errorf("the host is %q's", got)
		}
		r.stop()
		r = startOn(t, l.Gateway, on, change)
		says("he still is", "bob", "staff")
		say("Interim-Update")
		says("he still is", "bob", "staff")
		say("Stop")
		says("he has left", "", "")
		say("Interim-Update") // late
		says("he has left", "", "")
		say("Accounting-On")
		say("Start")
		says("he is there again", "bob", "staff")
		say("Accounting-Off")
		says("all have left", "", "")
		if s := r.who.radius.Stats(); s.Taken < 6 || s.Forged != 0 || s.Failed != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}
