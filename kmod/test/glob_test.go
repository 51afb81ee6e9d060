// SPDX-License-Identifier: MIT

package test

import (
	"strings"
	"testing"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// TestGlobCost: no glob costs more than another, whatever it and the value are
// made for. One that tries again and again would be dearer by orders of
// magnitude; the bound leaves room for machines that do other things, too.
func TestGlobCost(t *testing.T) {
	h := newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	f.table(t, "values", dict.KeyMark, 0, field("s", dict.String))
	if err := f.put(t, "values", row(intKey(0), cell("s", dict.MustString(strings.Repeat("a", 128))))); err != nil {
		t.Fatal(err)
	}
	const copies, packets = 60, 40
	cost := func(glob string) float64 {
		t.Helper()
		h.chain(t)
		e := h.compile(t, `dict values meta mark s "`+glob+`"`)
		var rules []message
		for range copies {
			rules = append(rules, r.rule("c", e, stock(t, r.family, &expr.Counter{})))
		}
		if err := r.batch(rules...); err != nil {
			t.Fatal(err)
		}
		least := 0.0
		for range 5 {
			start := now(t)
			for range packets {
				h.send(t)
			}
			if d := float64(now(t)-start) / packets / copies; least == 0 || d < least {
				least = d
			}
		}
		for i, l := range r.list(t, "c") {
			if want := uint64(0); l.packets != want {
				t.Fatalf("rule %d of %q matched %d packets, want %d", i, glob, l.packets, want)
			}
		}
		return least
	}
	least := max(cost("*b"), cost("a*b"), cost("*ab*"))
	for _, glob := range []string{
		strings.Repeat("*a", 63) + "*b", strings.Repeat("*", 64) + "b", strings.Repeat("a*", 63) + "b", strings.Repeat("*?", 63) + "b",
		strings.Repeat("[ab]*", 40) + "b", strings.Repeat("a", 127) + "b", strings.Repeat("*aa", 42) + "b",
	} {
		if got := cost(glob); got > 10*least {
			t.Errorf("%.40q costs %.0f ns a packet, %.1f times what plain ones do", glob, got, got/least)
		}
	}
	t.Logf("%.0f ns a packet and glob", least)
}
