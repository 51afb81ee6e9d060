// SPDX-License-Identifier: MIT

package rules

import (
	"slices"
	"strings"
	"testing"

	"nftdict/dictd/internal/testns"
)

// Which chains do not see what a flowtable carries, and would end it.
func TestBehind(t *testing.T) {
	ns := testns.New(t)
	ns.Run(t, "nft", `add table inet t; add table ip t; add table bridge t
		add chain inet t before { type filter hook forward priority 0; }; add rule inet t before drop
		add chain inet t same { type filter hook forward priority 300; }; add rule inet t same drop
		add chain inet t behind { type filter hook forward priority 301; }; add rule inet t behind tcp dport 25 reject
		add chain inet t harmless { type filter hook forward priority 310; }; add rule inet t harmless counter accept
		add chain ip t pol { type filter hook postrouting priority 0; policy drop; }
		add chain ip t inner; add rule ip t inner drop; add chain ip t middle; add rule ip t middle tcp dport 25 goto inner
		add chain ip t calls { type filter hook postrouting priority -5; }; add rule ip t calls jump middle
		add chain ip t tr { type nat hook postrouting priority 100; }; add rule ip t tr tcp dport 25 drop
		add chain ip t inp { type filter hook input priority 400; policy drop; }
		add chain bridge t behind { type filter hook forward priority 400; policy drop; }`)
	got, err := Behind(ns.FD(), "fast", 300)
	slices.Sort(got)
	if want := "inet t behind, ip t calls, ip t pol"; err != nil || strings.Join(got, ", ") != want {
		t.Errorf("%q, %v; want %s", got, err, want)
	}
}
