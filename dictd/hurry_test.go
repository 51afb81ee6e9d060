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

func TestBurst(t *testing.T) {
	for _, c := range []struct {
		left int64
		unit string
		want time.Duration
	}{
		{32e6 + 125e6*3, "bytes", 3 * time.Second},
		{32e6 + 1, "bytes", leastRound},
		{32e6, "bytes", 0},
		{-1, "bytes", 0},
		{32e6 + 125e6, "seconds", 0},
	} {
		budgets := []quota.Budget{{Kind: "user", Name: "bob", Unit: "bytes", Remaining: 1 << 50}, {Kind: "host", Name: "10.0.0.9", Unit: c.unit, Remaining: c.left}}
		if c.want == 0 {
			c.want = time.Hour
		}
		if got := burst(budgets, 32e6); got != c.want {
			t.Errorf("%d %s: %s, want %s", c.left, c.unit, got, c.want)
		}
	}
	if got := burst(nil, 32e6); got != 0 {
		t.Errorf("nobody: %s", got)
	}
}
