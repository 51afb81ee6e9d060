// SPDX-License-Identifier: MIT

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// A transfer under way is reset at its next packet where the plan says so, and where it
// is young; else it waits (TestQuotaToThePacket).
func TestQuotaReset(t *testing.T) {
	for volume, then := range map[string]string{"1MB": "reset", "20kB": "block"} {
		t.Run(then, func(t *testing.T) {
			r := newQuotaRig(t, lab.Config{})
			r.start(inside, fmt.Sprintf("[[plan]]\nname = \"daily\"\nfor = [\"host %s\"]\nvolume = %q\nperiod = \"none\"\nthen = %q\n", lab.Client4, volume, then))
			r.left("hosts", lab.Client4.String(), "quota_remaining")
			before := r.passed()
			conn := r.begin(r.Client, 4)
			if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, err := io.CopyN(io.Discard, conn, forever)
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("after %d bytes: %v, want a reset", n, err)
			}
			if err := r.refused(r.Client, 4); err != nil {
				t.Error(err)
			}
			t.Logf("%d bytes passed", r.passed()-before)
		})
	}
}

// A reload takes over other plans at once, and none.
func TestQuotaReload(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	text := func(volume string) string {
		return fmt.Sprintf("[[plan]]\nname = \"daily\"\nfor = [\"host %s\"]\nvolume = %q\nperiod = \"day\"\n", lab.Client4, volume)
	}
	d := r.start(inside, text("1MB"))
	r.left("hosts", lab.Client4.String(), "quota_remaining")
	r.stopsAt("before", 4, r.passed(), mega).Close()
	path := filepath.Join(r.dir, "dictd.toml")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reload := func(with string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Replace(string(old), text("1MB"), with, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		d.signal(syscall.SIGHUP)
	}
	reload(text("4MB"))
	r.eventually("more is granted", func() error { return r.download(r.Client, 4, 1, time.Second) })
	if n := r.left("hosts", lab.Client4.String(), "quota_remaining"); n < 2*mega || n > 3*mega {
		t.Errorf("%d is left of 4 MB, less 1 MB", n)
	}
	reload("")
	r.eventually("the rules are gone", func() error {
		if out := r.must("nft", "list", "ruleset"); strings.Contains(out, "quota.") {
			return errors.New("they are there")
		}
		return nil
	})
	if got := r.field("hosts", lab.Client4.String(), "quota_remaining"); got != "" {
		t.Errorf("quota_remaining is %q without a plan", got)
	}
	if err := r.download(r.Client, 4, 6*mega, 10*time.Second); err != nil {
		t.Errorf("without a plan: %v", err)
	}
}
