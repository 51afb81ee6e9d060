// SPDX-License-Identifier: MIT

package e2e

import (
	"testing"
	"time"

	"nftdict/internal/lab"
)

// The machine starts anew: network namespace, rows, rules and connections are all gone,
// and the directory of dictd's state is what is left. After the power went, what was
// charged up to five seconds before is known; after a stop all of it, to the byte; and
// whose device it is, too.
func TestQuotaReboot(t *testing.T) {
	dir := t.TempDir()
	plan := `
[[plan]]
name = "daily"
for = ["users"]
volume = "10MB"
period = "month"
`
	var left int64
	boot := func(what string, then func(t *testing.T, r *quotaRig, d *daemon)) {
		t.Run(what, func(t *testing.T) {
			r := newQuotaRig(t, lab.Config{})
			r.dir = dir
			then(t, r, r.start(inside, plan))
		})
	}
	known := func(r *quotaRig) {
		r.t.Helper()
		if got := r.left("users", "alice", "quota_remaining"); got != left {
			r.t.Errorf("%d is left of 10 MB, want %d", got, left)
		}
		r.settled(r.Client, lab.Client4.String(), "alice")
	}
	boot("at first", func(t *testing.T, r *quotaRig, d *daemon) {
		r.must("dictctl", "user", "bind", "alice", lab.ClientMAC)
		r.left("users", "alice", "quota_remaining")
		r.settled(r.Client, lab.Client4.String(), "alice")
		if err := r.download(r.Client, 4, 4*mega, 20*time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if left = r.left("users", "alice", "quota_remaining"); left > 6*mega {
			t.Errorf("%d is left of 10 MB", left)
		}
		d.kill()
	})
	boot("after the power went", func(t *testing.T, r *quotaRig, d *daemon) {
		known(r)
		if err := r.download(r.Client, 4, mega, 20*time.Second); err != nil {
			t.Fatal(err)
		}
		_, left = r.level("users", "alice", "quota_remaining")
		d.stop()
	})
	boot("after a stop", func(t *testing.T, r *quotaRig, d *daemon) {
		known(r)
		r.stopsAt("at the end", 4, r.passed(), r.left("users", "alice", "quota_remaining"))
	})
}
