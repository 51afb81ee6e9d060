// SPDX-License-Identifier: MIT

package dictd

import (
	"testing"
	"time"

	"nftdict/dictd/quota"
)

func TestNearest(t *testing.T) {
	budgets := []quota.Budget{
		{Kind: "user", Name: "bob", Unit: "bytes", Remaining: 80e6},
		{Kind: "host", Name: "10.0.0.9", Unit: "bytes", Remaining: 1000e6},
		{Kind: "group", Name: "kids", Unit: "bytes", Remaining: 4000e6},
		{Kind: "user", Name: "eve", Unit: "seconds", Remaining: 5},
		{Kind: "device", Name: "02:00:00:00:00:09", Unit: "bytes", Remaining: -1},
	}
	for _, c := range []struct {
		moved map[string]uint64
		want  time.Duration
	}{
		{map[string]uint64{}, 0},
		{map[string]uint64{"host 10.0.0.7": 1e6}, 0},
		{map[string]uint64{"host 10.0.0.9": 100e6, "group": 100e6}, 10 * time.Second},
		{map[string]uint64{"user bob": 40e6, "host 10.0.0.9": 40e6, "group": 40e6}, 2 * time.Second},
		{map[string]uint64{"user bob": 900e6}, leastRound},
		{map[string]uint64{"user eve": 1e6, "device 02:00:00:00:00:09": 1e6}, 0},
		{map[string]uint64{"group": 1}, time.Hour},
	} {
		if got := nearest(budgets, c.moved, 4*time.Second); got != c.want {
			t.Errorf("%v: %s, want %s", c.moved, got, c.want)
		}
	}
}
