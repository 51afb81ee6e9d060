// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// Many plans still are one transaction.
func TestQuotaManyPlans(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, "[[plan]]\nname = \"plan%02d\"\nfor = [\"hosts\"]\nvolume = \"%dMB\"\nperiod = \"day\"\nwarn = [90]\nexcept = { applications = [\"APP %d\"] }\n", i, 2+i, i)
		if i < 6 {
			fmt.Fprintf(&b, "applications = [\"APP %d\", \"YOUTUBE\"]\n", i)
		}
	}
	start := time.Now()
	r.start(inside, b.String())
	t.Logf("12 plans: dictd inspects packets after %v", time.Since(start))
	r.known(lab.Client4, "mac_address", lab.ClientMAC)
	r.eventually("a budget", func() error {
		if got := r.field("hosts", lab.Client4.String(), "quota_remaining"); got == "" {
			return fmt.Errorf("none")
		}
		return nil
	})
	// The first plan of all traffic is the one: 8 MB.
	if got := r.field("hosts", lab.Client4.String(), "quota_plan"); got != "plan06" {
		t.Errorf("quota_plan is %q", got)
	}
	left := r.left("hosts", lab.Client4.String(), "quota_remaining")
	if err := r.fetchFrom(lab.Client4, mega); err != nil {
		t.Error(err)
	}
	if used := left - r.left("hosts", lab.Client4.String(), "quota_remaining"); used < mega || used > 2*mega {
		t.Errorf("%d bytes were charged of a megabyte", used)
	}
}
