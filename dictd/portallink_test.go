// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// A portal at a bridge's port, where nobody would have to log in, is refused, and told of
// when it becomes one.
func TestPortalAtPort(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	on := openEBPF(t, l.Gateway)
	d := startOn(t, l.Gateway, on, withPortal)
	if all := strings.Join(d.portalWarnings(), "\n"); strings.Contains(all, "belongs") {
		t.Errorf("warnings %q", all)
	}
	run(t, l.Gateway, "ip", "link", "add", "br0", "type", "bridge")
	run(t, l.Gateway, "ip", "link", "set", "lan0", "master", "br0")
	if all := strings.Join(d.portalWarnings(), "\n"); !strings.Contains(all, `it belongs to "br0"`) {
		t.Errorf("warnings %q", all)
	}
	other := *d.config.Load()
	other.Portal.VenueName = "elsewhere"
	if err := d.Reload(other); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("a reload: %v", err)
	}
	c := config.Default()
	withPortal(&c)
	c.Socket, c.State = t.TempDir()+"/socket", t.TempDir()
	if second, err := New(Options{Config: c, Store: on.Store, Compiler: on.Compiler, NetNS: l.Gateway.FD(), Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, dict.ErrInvalid) || !strings.Contains(err.Error(), `"br0"`) {
		if err == nil {
			err = second.Close()
		}
		t.Errorf("a portal at the port of a bridge: %v", err)
	}
}
