// SPDX-License-Identifier: MIT

package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var defaults = Defaults{Zone: time.UTC, Throttle: 0x71}

func TestParse(t *testing.T) {
	plans, err := Parse([]Spec{
		{Name: "daily", For: []string{"user al ice", "users"}, Volume: "20MB", Direction: "in", Period: "day", Reset: "04:30", Zone: "Europe/Berlin", Rollover: "5 MB", Warn: []int{90, 50}, Then: "throttle"},
		{Name: "you-tube", For: []string{"group kids"}, Applications: []string{"YOUTUBE"}, Time: "2h", Period: "week", Day: "sunday", Then: "class 0x10"},
		{Name: "office", For: []string{"group sales"}, Shared: true, Volume: "1.5GiB", Period: "month", Day: "15", Except: Except{Applications: []string{"DNS"}}},
		{Name: "gear", For: []string{"device 02:00:00:00:00:0A", "host ::ffff:10.0.0.1", "hosts"}, Volume: "7", Separate: true, Period: "none", Direction: "both"},
	}, defaults)
	if err != nil {
		t.Fatal(err)
	}
	want := []*Plan{
		{Name: "daily", For: []Whom{{Kind: User, Name: "al ice"}, {Kind: User, All: true}}, Size: 20e6, Direction: In, Rollover: 5e6, Warn: []int{50, 90}, Then: Throttle, Mark: 0x71,
			Calendar: Calendar{Every: Day, Hour: 4, Minute: 30, Weekday: time.Monday, Day: 1}},
		{Name: "you_tube", For: []Whom{{Kind: User, Members: true, Name: "kids"}}, Of: Kinds{Applications: []string{"YOUTUBE"}}, Unit: Seconds, Size: 7200, Then: Class, Mark: 16,
			Calendar: Calendar{Every: Week, Weekday: time.Sunday, Day: 1}},
		{Name: "office", For: []Whom{{Kind: Group, Name: "sales"}}, Shared: true, Size: 3 << 29, Except: Kinds{Applications: []string{"DNS"}},
			Calendar: Calendar{Every: Month, Weekday: time.Monday, Day: 15}},
		{Name: "gear", For: []Whom{{Kind: Device, Name: "02:00:00:00:00:0a"}, {Kind: Host, Name: "10.0.0.1"}, {Kind: Host, All: true}}, Size: 7, Separate: true,
			Calendar: Calendar{Every: None, Weekday: time.Monday, Day: 1}},
	}
	if diff := cmp.Diff(want, plans, cmpopts.IgnoreFields(Calendar{}, "Zone"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if z := plans[0].Calendar.Zone.String(); z != "Europe/Berlin" {
		t.Errorf("zone %s", z)
	}
	if plans[0].Field("remaining") != "quota_remaining" || plans[1].Field("remaining") != "quota_you_tube_remaining" {
		t.Errorf("fields %s and %s", plans[0].Field("remaining"), plans[1].Field("remaining"))
	}
	for i, text := range []string{"20 MB in a day", "2h of YOUTUBE a week", "1.6 GB a month", "7 B"} {
		if got := plans[i].String(); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestCovers(t *testing.T) {
	plans, err := Parse([]Spec{
		{Name: "a", For: []string{"group kids", "device 02:00:00:00:00:0a"}, Volume: "1", Period: "day"},
		{Name: "b", For: []string{"group kids"}, Shared: true, Volume: "1", Period: "day"},
	}, defaults)
	if err != nil {
		t.Fatal(err)
	}
	a, b := plans[0], plans[1]
	for _, c := range []struct {
		p      *Plan
		s      Subject
		groups []string
		want   bool
	}{
		{a, Subject{User, "tim"}, []string{"dogs", "kids"}, true},
		{a, Subject{User, "tim"}, []string{"dogs"}, false},
		{a, Subject{User, "kids"}, nil, false},
		{a, Subject{Group, "kids"}, nil, false},
		{a, Subject{Device, "02:00:00:00:00:0a"}, nil, true},
		{a, Subject{Device, "02:00:00:00:00:0b"}, nil, false},
		{b, Subject{Group, "kids"}, nil, true},
		{b, Subject{User, "tim"}, []string{"kids"}, false},
	} {
		if got := c.p.Covers(c.s, c.groups); got != c.want {
			t.Errorf("plan %s, %s in %v: %v, want %v", c.p.Name, c.s, c.groups, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	good := Spec{Name: "p", For: []string{"users"}, Volume: "1MB", Period: "day"}
	for _, c := range []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"no name", func(s *Spec) { s.Name = "" }, `plan "": name`},
		{"field's name", func(s *Spec) { s.Name = "remaining" }, "none of size"},
		{"long name", func(s *Spec) { s.Name = strings.Repeat("x", 33) }, "at most 32"},
		{"nobody", func(s *Spec) { s.For = nil }, "for: invalid: nobody"},
		{"whom", func(s *Spec) { s.For = []string{"cats"} }, `for "cats"`},
		{"MAC", func(s *Spec) { s.For = []string{"device 02"} }, "want a MAC"},
		{"address", func(s *Spec) { s.For = []string{"host fe80::1%lan0"} }, "want an address"},
		{"empty user", func(s *Spec) { s.For = []string{"user"} }, "want a name"},
		{"all groups", func(s *Spec) { s.For = []string{""} }, `for ""`},
		{"comma", func(s *Spec) { s.For = []string{"group a,b"} }, "no comma"},
		{"shared user", func(s *Spec) { s.Shared = true }, "of shared plans"},
		{"no bound", func(s *Spec) { s.Volume = "" }, "want one of them"},
		{"two bounds", func(s *Spec) { s.Time = "2h" }, "want one of them"},
		{"volume of time", func(s *Spec) { s.Volume = "2h" }, "want bytes"},
		{"time of volume", func(s *Spec) { s.Volume, s.Time = "", "2GB" }, "want a time"},
		{"negative", func(s *Spec) { s.Volume = "-1" }, "want one such as"},
		{"too much", func(s *Spec) { s.Volume = "9999999999TB" }, "out of range"},
		{"parts of a second", func(s *Spec) { s.Volume, s.Time = "", "1.5s" }, "whole seconds"},
		{"direction", func(s *Spec) { s.Direction = "up" }, "want in, out, both"},
		{"rollover", func(s *Spec) { s.Rollover = "1h" }, "want bytes"},
		{"period", func(s *Spec) { s.Period = "" }, "want none, hour, day, week, month"},
		{"reset of hours", func(s *Spec) { s.Period, s.Reset = "hour", "01:00" }, "want HH:MM, of a day"},
		{"reset", func(s *Spec) { s.Reset = "25:00" }, "want HH:MM"},
		{"zone", func(s *Spec) { s.Zone = "Mars/Base" }, `zone "Mars/Base"`},
		{"day of days", func(s *Spec) { s.Day = "1" }, "want the name of a weekday"},
		{"day of a month", func(s *Spec) { s.Period, s.Day = "month", "32" }, "1 to 31"},
		{"warn", func(s *Spec) { s.Warn = []int{100} }, "warn 100"},
		{"then", func(s *Spec) { s.Then = "block 5" }, "want block, reset, drop, throttle"},
		{"class", func(s *Spec) { s.Then = "class 0" }, "not 0"},
		{"application", func(s *Spec) { s.Applications = []string{""} }, `application or category ""`},
		{"exception", func(s *Spec) { s.Except.Categories = []string{"a\x00"} }, "application or category"},
	} {
		s := good
		c.change(&s)
		if _, err := Parse([]Spec{s}, defaults); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Parse([]Spec{good, good}, defaults); err == nil || !strings.Contains(err.Error(), "exist") {
		t.Errorf("two of a name: %v", err)
	}
	if _, err := Parse(make([]Spec, MaxPlans+1), defaults); err == nil || !strings.Contains(err.Error(), "65, at most 64") {
		t.Errorf("many plans: %v", err)
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int64
		u    Unit
		out  string
	}{
		{"0", 0, Bytes, "0 B"}, {"999", 999, Bytes, "999 B"}, {"20MB", 20e6, Bytes, "20 MB"}, {"1.5 GB", 15e8, Bytes, "1.5 GB"},
		{"5GiB", 5 << 30, Bytes, "5.4 GB"}, {"2h", 7200, Seconds, "2h"}, {"1h30m", 5400, Seconds, "1h30m"}, {"0s", 0, Seconds, "0s"}, {"45s", 45, Seconds, "45s"}, {"10m", 600, Seconds, "10m"},
		{"999960", 999960, Bytes, "1 MB"}, {"2.1 PB", 21e14, Bytes, "2.1 PB"}, {"1EB", 1e18, Bytes, "1 EB"},
	} {
		n, u, err := ParseAmount(c.text)
		if err != nil || n != c.n || u != c.u {
			t.Errorf("%q: %d %s, %v", c.text, n, u, err)
		}
		if got := FormatAmount(n, u); got != c.out {
			t.Errorf("%q: written as %q, want %q", c.text, got, c.out)
		}
	}
	if got := FormatAmount(-1500, Bytes); got != "-1.5 kB" {
		t.Errorf("negative: %q", got)
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"20MB", "1.5GiB", "2h", "2055555555555555", "1EB", "-1", "1e3kB", "NaN", ".", "MB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, u, err := ParseAmount(text)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("%q is %d %s", text, n, u)
		}
		back := FormatAmount(n, u)
		if m, v, err := ParseAmount(back); err != nil || v != u || n > 1000 && (m < n-n/10 || m > n+n/10) {
			t.Fatalf("%q is written %q, which is %d, %v", text, back, m, err)
		}
	})
}
