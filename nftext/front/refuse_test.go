// SPDX-License-Identifier: MIT

package front

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRunUnknownBinary(t *testing.T) {
	needListener(t)
	c := Command{Nft: filepath.Join(t.TempDir(), "nft"), Codec: fakeCodec{}}
	if exit, err := c.Run(context.Background()); exit == 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("exit %d, %v", exit, err)
	}
}

func TestRunCancelled(t *testing.T) {
	ns := newNetwork(t)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	c := Command{Args: []string{"monitor"}, Codec: fakeCodec{}}
	ns.do(t, func() {
		if _, err := c.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a cancelled run ended with %v", err)
		}
	})
}

func TestIsDatabase(t *testing.T) {
	for name, want := range map[string]bool{
		"/etc/iproute2/rt_marks":            true,
		"/usr/share/iproute2/group":         true,
		"/etc/iproute2/rt_realms.d/x.conf":  false,
		"/etc/connlabel.conf":               true,
		"/etc/xtables/connlabel.conf":       true,
		"/proc/17/stat":                     true,
		"/proc/self/fd/17":                  false,
		"/etc/nftables.conf":                false,
		"rules.nft":                         false,
		"/home/iproute2.d/rules/more/x.nft": false,
	} {
		if got := isDatabase(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
