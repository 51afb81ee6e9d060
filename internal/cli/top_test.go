// SPDX-License-Identifier: MIT

package cli

import (
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
)

// spans are two looks of the ledger.
func spans() []api.Usage {
	of := func(name, host string, in, out uint64) api.UsageOf {
		return api.UsageOf{Name: name, Hostname: host, In: api.Traffic{Bytes: in}, Out: api.Traffic{Bytes: out}}
	}
	at := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	return []api.Usage{
		{Start: at, End: at.Add(4 * time.Second), Total: of("", "", 9000, 0), Uses: []api.UsageOf{of("OLD", "", 9000, 0)}},
		{Start: at.Add(4 * time.Second), End: at.Add(8 * time.Second), Total: of("", "", 4000, 440), Uses: []api.UsageOf{
			of("NETFLIX", "", 4000, 40), of("DNS\x1b[2J\u202e", "", 0, 400),
		}},
	}
}

func TestTop(t *testing.T) {
	one := top{by: "application", sort: "rate"}
	look := one.sum(spans())
	if look.Seconds != 4 || look.In != 1000 || len(look.Lines) != 3 || look.Lines[0].Name != "NETFLIX" || look.Lines[2].Total != 9000 || look.Lines[2].In != 0 {
		t.Fatalf("%+v", look)
	}
	want := "0 sessions   in 8.0 kbit/s   out 880 bit/s   applications by rate\n" +
		"\n" +
		"APPLICATION                        IN          OUT   10 MINUTES\n" +
		"NETFLIX                    8.0 kbit/s     80 bit/s       4.0 kB ####################\n" +
		"DNS?[2J?                      0 bit/s    800 bit/s        400 B ##\n" +
		"OLD                           0 bit/s      0 bit/s       9.0 kB\n"
	if got := one.text(look, 0, 0); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for sort, first := range map[string]string{"in": "NETFLIX", "out": "DNS", "total": "OLD"} {
		one.sort = sort
		if got := one.sum(spans()).Lines[0].Name; !strings.HasPrefix(got, first) {
			t.Errorf("by %s: %q is first", sort, got)
		}
	}
	// Nothing is wider or higher than the screen.
	for _, size := range [][2]int{{200, 50}, {80, 24}, {60, 5}} {
		lines := strings.Split(strings.TrimRight(one.text(look, size[0], size[1]), "\n"), "\n")
		if len(lines) > size[1] {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		for _, l := range lines[1:] {
			if len([]rune(l)) > size[0] {
				t.Errorf("%v: %q is %d wide", size, l, len([]rune(l)))
			}
		}
	}
	if got := onScreen("a\nb\nc\n", 2); got != "a\x1b[K\r\nb\x1b[K" {
		t.Errorf("%q", got)
	}
}

func TestTopKeys(t *testing.T) {
	one := top{by: "application", sort: "rate"}
	for _, c := range []struct {
		keys       string
		by, sort   string
		again, end bool
	}{
		{"u", "user", "rate", true, false},
		{"s", "user", "in", true, false},
		{"sss", "user", "rate", true, false},
		{"\x1b[A", "user", "rate", false, false},
		{"\x1b[1;5Dx\x1bOP", "user", "rate", false, false},
		{"\x1b[Bq", "user", "rate", false, true},
		{"x", "user", "rate", false, false},
		{"h", "host", "rate", true, false},
		{"\x03", "host", "rate", false, true},
		{"q", "host", "rate", false, true},
	} {
		again, end := one.press([]byte(c.keys))
		if one.by != c.by || one.sort != c.sort || again != c.again || end != c.end {
			t.Errorf("%q: %+v, %v, %v", c.keys, one, again, end)
		}
	}
}
