// SPDX-License-Identifier: MIT

package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// order sorts lines, the most first.
func (t *top) order(lines []topLine) {
	of := func(l *topLine) float64 {
		switch t.sort {
		case "in":
			return l.In
		case "out":
			return l.Out
		case "total":
			return float64(l.Total)
		}
		return l.In + l.Out
	}
	slices.SortFunc(lines, func(a, b topLine) int {
		return cmp.Or(cmp.Compare(of(&b), of(&a)), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name))
	})
}

// topBar is how long the bar of the fastest is, at most.
const topBar = 20

// text writes a look for a screen of a size; 0 is without bounds.
func (t *top) text(look *topLook, width, height int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d sessions   in %s   out %s   %s by %s\n", look.Sessions, bitText(look.In), bitText(look.Out), plural(t.by), t.sort)
	if look.Seconds == 0 {
		b.WriteString("\nThe ledger has not looked twice yet.\n")
		return b.String()
	}
	name := 24
	if width > 0 {
		name = max(12, min(48, width-3*13-topBar-2))
	}
	fmt.Fprintf(&b, "\n%s %12s %12s %12s\n", pad(strings.ToUpper(t.by), name), "IN", "OUT", "10 MINUTES")
	lines := look.Lines
	if height > 0 {
		lines = lines[:min(len(lines), max(0, height-4))]
	}
	most := 0.0
	for i := range lines {
		most = max(most, lines[i].In+lines[i].Out)
	}
	for i := range lines {
		l := &lines[i]
		drawn := ""
		if rate := l.In + l.Out; rate > 0 && (width == 0 || width >= name+3*13+1+topBar) {
			drawn = " " + strings.Repeat("#", max(1, int(rate/most*topBar+0.5)))
		}
		fmt.Fprintf(&b, "%s %12s %12s %12s%s\n", pad(topName(t.by, l), name), bitText(l.In), bitText(l.Out), byteText(l.Total), drawn)
	}
	if len(look.Lines) == 0 {
		b.WriteString("nothing moves\n")
	}
	return b.String()
}

// topName writes whose a line is: names are others', so nothing of them moves a cursor.
func topName(by string, l *topLine) string {
	name := l.Name
	switch {
	case name == "" && by == "application":
		name = "(not known yet)"
	case name == "":
		name = "(nobody known)"
	case l.Hostname != "":
		name = l.Hostname + " " + name
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, name)
}

// pad cuts a text to a width, or fills it up.
func pad(text string, width int) string {
	n := utf8.RuneCountInString(text)
	if n > width {
		runes := []rune(text)
		return string(runes[:width-1]) + "~"
	}
	return text + strings.Repeat(" ", width-n)
}

func plural(by string) string { return by + "s" }

// bitText writes bytes a second as bits a second.
func bitText(bytes float64) string {
	v, unit := bytes*8, 0
	units := []string{"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"}
	for v >= 999.95 && unit < len(units)-1 {
		v /= 1000
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%.0f %s", v, units[0])
	}
	return fmt.Sprintf("%.1f %s", v, units[unit])
}

// onScreen writes lines over those that were there, and no more of them than there is
// place for.
func onScreen(text string, height int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if height > 0 && len(lines) > height {
		lines = lines[:height]
	}
	return strings.Join(lines, "\x1b[K\r\n") + "\x1b[K"
}
