// SPDX-License-Identifier: MIT

package dictd

import (
	"slices"
	"strings"
	"testing"

	"nftdict/dictd/config"
	"nftdict/dictd/portal"
	"nftdict/dictd/rules"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// click lets the lab's client in.
func (r *running) click(t *testing.T, l *lab.Lab) portal.From {
	t.Helper()
	// The gateway hears of the client's address.
	if _, err := dial(t, l.Client, "tcp", lab.GatewayLAN4, 8880); err != nil {
		t.Fatal(err)
	}
	me := portal.From{Addr: lab.Client4}
	eventually(t, "the client may enter", func() bool {
		v, err := r.Portal().Enter(t.Context(), me, portal.Credentials{Way: portal.Click})
		return err == nil && v.In
	})
	return me
}

// A connection that a flowtable has carried past all rules ends as the others do when
// its client logs out.
func TestPortalOffloaded(t *testing.T) {
	compiling(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		need.Feature(t, "flowtable", func() error { return rules.ProbeFlowtable(l.Gateway.FD()) })
		r := startOn(t, l.Gateway, on, func(c *config.Config) {
			withPortal(c)
			c.Offload.Enable = true
		})
		me := r.click(t, l)
		v, err := l.Browser().Open("https://www.youtube.com/")
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		eventually(t, "the connection is in the flowtable", func() bool {
			if _, err := v.Get(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			return inFlowtable(t, l, 443) == 1
		})
		if err := r.Portal().Leave(t.Context(), me); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the connection has been taken back", func() bool { return inFlowtable(t, l, 443) == 0 })
		if _, err := v.Get(t.Context(), ""); err == nil {
			t.Error("the connection goes on, or another one was let through")
		}
	})
}

// A reload changes what may change while somebody is in, or nothing.
func TestPortalReload(t *testing.T) {
	alike(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		r := startOn(t, l.Gateway, on, func(c *config.Config) {
			withPortal(c)
			c.Portal.Garden = []string{}
		})
		me := r.click(t, l)
		passes := func(what string, want bool) {
			t.Helper()
			c, err := dial(t, l.Client, "tcp", addr(l, "example.org", 4), lab.EchoPort)
			if err == nil {
				c.Close()
			}
			if (err == nil) != want {
				t.Errorf("%s: passes: %v, want %v", what, err, want)
			}
		}
		passes("let in", true)
		was := *r.config.Load()
		bad := was
		bad.Portal.Ways, bad.Portal.Interfaces = []string{portal.RADIUS}, []string{"lan1"} // and nobody to ask
		if err := r.Reload(bad); err == nil {
			t.Error("a way that is not there is taken over")
		}
		if v, err := r.Portal().Visitor(t.Context(), me); err != nil || !v.In || !slices.Equal(v.Ways, was.Portal.Ways) {
			t.Errorf("after a reload that failed: %+v, %v", v, err)
		}
		passes("after a reload that failed", true)
		garden, _ := l.Site("example.org")
		other := was
		other.Portal.Ways, other.Portal.Prefixes = []string{portal.Voucher}, []string{garden.Addr4.String()}
		if err := r.Reload(other); err != nil {
			t.Fatal(err)
		}
		if v, err := r.Portal().Visitor(t.Context(), me); err != nil || !v.In || !slices.Equal(v.Ways, other.Portal.Ways) {
			t.Errorf("after a reload: %+v, %v", v, err)
		}
		if err := r.Portal().Leave(t.Context(), me); err != nil {
			t.Fatal(err)
		}
		passes("in the garden", true)
		if err := r.Reload(was); err != nil {
			t.Fatal(err)
		}
		passes("in no garden any more", false)
		other.Portal = was.Portal
		other.Portal.Interfaces = []string{"lan1"}
		if err := r.Reload(other); err != nil {
			t.Fatal(err)
		}
		passes("where no portal is any more", true)
		other.Portal.Interfaces = []string{"lan0", "lan9"}
		if err := r.Reload(other); err != nil {
			t.Fatal(err)
		}
		warnings := strings.Join(r.Status().Warnings, "\n")
		for _, want := range []string{`portal.interfaces "lan9"`, "portal.certificate"} {
			if !strings.Contains(warnings, want) {
				t.Errorf("no warning of %s:\n%s", want, warnings)
			}
		}
	})
}
