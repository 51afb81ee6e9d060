// SPDX-License-Identifier: MIT

package offload

import (
	"net/netip"
	"slices"
	"testing"
)

// TestAffected: by which names connections are meant, and by which not: both ends count,
// applications and categories in capitals or not.
func TestAffected(t *testing.T) {
	members := func(group string) []string {
		return map[string][]string{"kids": {"tim", "mia"}, "staff": {"bob"}}[group]
	}
	party := func(addr string, mac byte, user string) Party {
		p := Party{MAC: [6]byte{5: mac}, User: user}
		if addr != "" {
			p.Address = netip.MustParseAddr(addr)
		}
		return p
	}
	const (
		tim     = iota // tim's, of streaming
		between        // bob's to mia's, of no known kind
		unknown        // nobody's that is known
		toZoe          // from somebody who is not known
	)
	connections := []Connection{
		tim:     {7, party("10.0.0.2", 2, "tim"), party("192.0.2.1", 0, ""), "NETFLIX", "streaming"},
		between: {8, party("fd00::3", 3, "bob"), party("10.0.0.4", 4, "mia"), "SSH", ""},
		unknown: {9, party("10.0.0.5", 0, ""), party("192.0.2.1", 0, ""), "", ""},
		toZoe:   {10, party("192.0.2.2", 0, ""), party("10.0.0.7", 7, "zoe"), "", ""},
	}
	// One that means nothing here does not take the other's.
	check := func(whom Whom, want []int) {
		t.Helper()
		for _, list := range [][]Whom{{whom}, {Ct(1), whom}, {whom, {Kind: OfGroup, Name: "none"}}} {
			a := NewAffected(members, list...)
			var got []int
			for i := range connections {
				if a.Has(&connections[i]) {
					got = append(got, i)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v: %v, want %v", list, got, want)
			}
		}
	}
	check(Whom{Kind: Strangers}, []int{unknown})
	for _, c := range []struct {
		kind, name string
		want       []int
	}{
		{"all", "", []int{tim, between, unknown, toZoe}},
		{"ct", "7", []int{tim}}, {"ct", "6", nil},
		{"host", "10.0.0.2", []int{tim}}, {"host", "fd00::3", []int{between}}, {"host", "10.0.0.4", []int{between}},
		{"host", "192.0.2.1", []int{tim, unknown}}, {"host", "::ffff:10.0.0.5", []int{unknown}}, {"host", "10.0.0.6", nil},
		{"device", "00:00:00:00:00:02", []int{tim}}, {"device", "00:00:00:00:00:04", []int{between}}, {"device", "00:00:00:00:00:00", nil},
		{"user", "tim", []int{tim}}, {"user", "mia", []int{between}}, {"user", "Tim", nil},
		{"group", "kids", []int{tim, between}}, {"group", "staff", []int{between}}, {"group", "Staff", nil}, {"group", "none", nil}, {"group", "tim", nil},
		{"application", "netflix", []int{tim}}, {"application", "SSH", []int{between}}, {"application", "streaming", nil}, {"application", "NETFLI", nil},
		{"category", "streaming", []int{tim}}, {"category", "Streaming", []int{tim}}, {"category", "NETFLIX", nil}, {"category", "stream", nil},
	} {
		whom, err := ParseWhom(c.kind, c.name)
		if err != nil {
			t.Fatal(err)
		}
		check(whom, c.want)
	}
}
