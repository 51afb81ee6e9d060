// SPDX-License-Identifier: MIT

package e2e

import (
	"errors"
	"fmt"
	"io"
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
