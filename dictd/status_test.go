// SPDX-License-Identifier: MIT

package dictd

import (
	"strings"
	"testing"

	"nftdict/dictd/config"
)

// That packets pass unseen is told while they do: nobody counts them.
func TestFullQueueIsTold(t *testing.T) {
	c := config.Default()
	full := uint64(c.Queues.Length)
	if got := fullQueue(5300, full, &c); !strings.Contains(got, "queue 5300 is full") {
		t.Errorf("full: %q", got)
	}
	if got := fullQueue(5300, full-1, &c); got != "" {
		t.Errorf("one place left: %q", got)
	}
	c.Fail = "closed"
	if got := fullQueue(5300, full, &c); got != "" {
		t.Errorf("dropped, and counted: %q", got)
	}
}
