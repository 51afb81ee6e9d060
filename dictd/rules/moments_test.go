// SPDX-License-Identifier: MIT

package rules

import (
	"slices"
	"testing"
	"time"

	"nftdict/dictd/internal/testns"
)

// When rules that nft has loaded say something else: the hours of a rule are written in
// the zone of who loads it.
func TestReadMoments(t *testing.T) {
	ns := testns.New(t)
	at := func(text string) uint32 {
		t.Helper()
		h, err := time.Parse("15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(h.Hour()*3600 + h.Minute()*60 + h.Second())
	}
	unix := func(text string) time.Time {
		t.Helper()
		at, err := time.Parse("2006-01-02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		rule    string
		hours   []string
		days    bool
		times   []string
		minutes bool
	}{
		{rule: `tcp dport 80 accept`},
		{rule: `meta hour "17:00"-"19:30" drop`, hours: []string{"17:00:00", "19:30:01"}},
		{rule: `meta hour >= "22:00" drop`, hours: []string{"22:00:00"}},
		{rule: `meta hour < "06:00" drop`, hours: []string{"06:00:00"}},
		{rule: `meta hour "12:00" tcp dport 80 drop`, hours: []string{"12:00:00", "12:00:01"}},
		{rule: `tcp dport 80 meta hour { "10:00", "11:00" } drop`, hours: []string{"10:00:00", "10:00:01", "11:00:00", "11:00:01"}},
		{rule: `meta day "Saturday" drop`, days: true},
		{rule: `meta day { "Saturday", "Sunday" } meta hour "17:00"-"19:00" drop`, hours: []string{"17:00:00", "19:00:01"}, days: true},
		{rule: `meta day vmap { "Saturday" : accept, "Sunday" : drop }`, days: true},
		{rule: `meta time "2030-06-06 17:00:00" drop`, times: []string{"2030-06-06 17:00:00", "2030-06-06 17:00:00"}},
		{rule: `meta time >= "2030-06-06 17:00:00" drop`, times: []string{"2030-06-06 17:00:00"}},
		{rule: `iifname . meta hour { "lan0" . "10:00" } drop`, minutes: true},
		{rule: `meta hour . tcp dport { "10:00" . 80 } drop`, minutes: true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			ns.Run(t, "env", "TZ=UTC", "nft", "flush ruleset; add table inet t; add chain inet t c; add rule inet t c "+c.rule+"; add table inet own; add chain inet own c; add rule inet own c meta hour \"01:00\"")
			m, err := ReadMoments(ns.FD(), []string{"own"})
			if err != nil {
				t.Fatal(err)
			}
			var hours []uint32
			for _, h := range c.hours {
				hours = append(hours, at(h))
			}
			if !slices.Equal(m.hours, hours) || m.days != c.days || m.minutes != c.minutes || len(m.times) != len(c.times) {
				t.Errorf("%+v, want %+v", m, c)
			}
			for i, text := range c.times {
				if i < len(m.times) && m.times[i].Sub(unix(text)).Abs() > time.Nanosecond {
					t.Errorf("%v, want %s", m.times[i], text)
				}
			}
		})
	}
}

// When elements end that somebody has put into sets for a time.
func TestReadEnds(t *testing.T) {
	ns := testns.New(t)
	ns.Run(t, "nft", `add table inet t; add set inet t s { type ipv4_addr; flags timeout; }; add set inet t i { type ipv4_addr; flags interval, timeout; };
		add set inet t dyn { type ipv4_addr; flags dynamic, timeout; }; add table inet own; add set inet own s { type ipv4_addr; flags timeout; };
		add element inet t s { 10.0.0.1 timeout 1h, 10.0.0.2 timeout 10m }; add element inet t i { 10.0.0.0/8 timeout 20m };
		add element inet t dyn { 10.0.0.1 timeout 1m }; add element inet own s { 10.0.0.1 timeout 1m }`)
	m, err := ReadMoments(ns.FD(), []string{"own"})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Ends) != 2 || m.Clock() {
		t.Errorf("%+v", m)
	}
	for set, want := range map[string]time.Duration{"inet t s": 10 * time.Minute, "inet t i": 20 * time.Minute} {
		if d := time.Until(m.Ends[set]); d > want || d < want-time.Minute {
			t.Errorf("%s: in %v, want %v", set, d, want)
		}
	}
}

func TestMomentsNext(t *testing.T) {
	utc := func(text string) time.Time {
		t.Helper()
		at, err := time.Parse("2006-01-02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	hours, days, minutes := &Moments{hours: []uint32{0, 17 * 3600, 19*3600 + 1}}, &Moments{days: true}, &Moments{minutes: true}
	once := &Moments{times: []time.Time{utc("2026-06-06 10:00:00"), utc("2026-06-07 10:00:00")}}
	for _, c := range []struct {
		m           *Moments
		west        time.Duration
		after, want string
	}{
		{hours, 0, "2026-11-21 12:00:00", "2026-11-21 17:00:00"},
		{hours, 0, "2026-11-21 17:00:00", "2026-11-21 19:00:01"},
		{hours, 0, "2026-11-21 23:00:00", "2026-11-22 00:00:00"},
		{hours, 0, "2026-11-22 00:00:00", "2026-11-22 17:00:00"},
		{days, 0, "2026-11-21 12:00:00", "2026-11-22 00:00:00"},
		{days, -2 * time.Hour, "2026-11-21 12:00:00", "2026-11-21 22:00:00"},
		{days, 5 * time.Hour, "2026-11-21 03:00:00", "2026-11-21 05:00:00"},
		{days, 5 * time.Hour, "2026-11-21 05:00:00", "2026-11-22 05:00:00"},
		{minutes, 0, "2026-11-21 12:00:59", "2026-11-21 12:01:00"},
		{once, 0, "2026-06-06 10:00:00", "2026-06-07 10:00:00"},
		{once, 0, "2026-06-07 10:00:00", ""},
		{&Moments{}, 0, "2026-06-07 10:00:00", ""},
	} {
		var want time.Time
		if c.want != "" {
			want = utc(c.want)
		}
		if got := c.m.Next(utc(c.after), c.west); !got.Equal(want) {
			t.Errorf("%+v after %s: %v, want %v", c.m, c.after, got, c.want)
		}
	}
}
