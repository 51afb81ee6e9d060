// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
)

func (d *fakeDaemon) Usage(_ context.Context, q api.UsageQuery) ([]api.Usage, error) {
	ago := "-"
	if !q.Since.IsZero() {
		ago = time.Since(q.Since).Round(time.Hour).String()
	}
	d.asked = append(d.asked, fmt.Sprintf("usage by %s period %s since %s user %s limit %d", q.By, q.Period, ago, q.User, q.Limit))
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.Local)
	use := func(name, host string, in, out uint64) api.UsageOf {
		return api.UsageOf{Name: name, Hostname: host, In: api.Traffic{Bytes: in}, Out: api.Traffic{Bytes: out}, Connections: 3}
	}
	return []api.Usage{
		{Start: day, Period: q.Period, Uses: []api.UsageOf{use("10.0.0.9", "tv", 3e9, 1e9), use("", "", 999, 1)}, Total: use("", "", 3e9, 1e9)},
		{Start: day.AddDate(0, 0, 1), Period: q.Period, Uses: []api.UsageOf{}, Total: use("", "", 1e9, 1e9)},
	}, nil
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		line, asked string
		want        []string
	}{
		{"usage", "usage by host period day since - user  limit 0", []string{
			"2026-01-02 Fri\n", "  10.0.0.9 tv  in 3.0 GB  out 1.0 GB  3 connections  " + strings.Repeat("#", 40) + "\n",
			"  -            in 999 B   out 1 B     3 connections  #\n", "  total        in 3.0 GB",
		}},
		{"usage --plot --period hour --since 2d", "usage by host period hour since 48h0m0s user  limit 0", []string{
			"2026-01-02 00:00  in 3.0 GB", "2026-01-03 00:00  in 1.0 GB  out 1.0 GB  3 connections  " + strings.Repeat("#", 20) + "\n",
		}},
		{"-j usage --by user --user bob --limit 3", "usage by user period day since - user bob limit 3", []string{`"usage"`, `"hostname":"tv"`}},
	} {
		d := &fakeDaemon{}
		code, out, errs := runWith(t, d, strings.Fields(c.line)...)
		if code != 0 || errs != "" {
			t.Errorf("%s: exit %d, %s", c.line, code, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s printed\n%s\nwant %q in it", c.line, out, want)
			}
		}
		if len(d.asked) != 1 || d.asked[0] != c.asked {
			t.Errorf("%s asked %q, want %q", c.line, d.asked, c.asked)
		}
	}
	for _, line := range []string{"usage --since yesterday", "usage --limit -1", "usage bob"} {
		if code, _, errs := runWith(t, &fakeDaemon{}, strings.Fields(line)...); code != 2 || errs == "" {
			t.Errorf("%s: exit %d, %q", line, code, errs)
		}
	}
}
