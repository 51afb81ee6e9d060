// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// show writes what the audience reads, and counts the claims that fail. Once
// ctx has ended it is silent: what is found out while the demo breaks off says
// nothing.
type show struct {
	ctx    context.Context
	w      io.Writer
	colour bool
	scene  int
	claims int
	failed int
}

// Escape sequences, used on a terminal only.
const (
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	cyan  = "\x1b[36m"
	plain = "\x1b[0m"
)

// newShow returns a show that is coloured if w is a terminal and NO_COLOR is
// not set.
func newShow(ctx context.Context, w io.Writer) *show {
	s := &show{ctx: ctx, w: w}
	if f, ok := w.(*os.File); ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		info, err := f.Stat()
		s.colour = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

// printf writes, unless the demo was interrupted.
func (s *show) printf(format string, args ...any) {
	if s.ctx.Err() == nil {
		fmt.Fprintf(s.w, format, args...)
	}
}

func (s *show) paint(style, text string) string {
	if !s.colour {
		return text
	}
	return style + text + plain
}

// title opens the next scene.
func (s *show) title(text string) {
	s.scene++
	s.printf("\n%s\n", s.paint(bold, fmt.Sprintf("%d. %s", s.scene, text)))
}

// say explains what comes next.
func (s *show) say(text string) { s.printf("\n   %s\n", text) }

// command shows a command before it runs. The prompt tells where and as whom.
func (s *show) command(prompt, line string) {
	s.printf("   %s %s\n", s.paint(cyan, prompt), s.paint(bold, line))
}

// maxLine is where a line of output is wrapped, in runes.
const maxLine = 120

// output shows what a command printed, at most lines of it; 0 means all.
func (s *show) output(text string, lines int) {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return
	}
	all := strings.Split(strings.ReplaceAll(text, "\t", "    "), "\n")
	left := 0
	if lines > 0 && len(all) > lines {
		left = len(all) - lines
		all = all[:lines]
	}
	for _, line := range all {
		for _, part := range wrap(line) {
			s.printf("     %s\n", s.paint(dim, part))
		}
	}
	if left > 0 {
		s.printf("     %s\n", s.paint(dim, fmt.Sprintf("(%d more lines)", left)))
	}
}

// wrap divides a long line at its last space that fits, and indents what
// follows.
func wrap(line string) (parts []string) {
	const indent = "    "
	rest := []rune(line)
	for len(rest) > maxLine {
		at := maxLine
		for at > len(indent) && rest[at] != ' ' {
			at--
		}
		if at == len(indent) { // one long word
			at = maxLine
		}
		parts = append(parts, string(rest[:at]))
		rest = []rune(indent + strings.TrimLeft(string(rest[at:]), " "))
	}
	return append(parts, string(rest))
}

// claim says whether what was promised holds. A claim that fails fails the
// demo, which goes on.
func (s *show) claim(holds bool, format string, args ...any) {
	s.claims++
	mark, style := "ok  ", green
	if !holds {
		s.failed++
		mark, style = "FAIL", red
	}
	s.printf("   %s %s\n", s.paint(style, mark), fmt.Sprintf(format, args...))
}

// end closes the show.
func (s *show) end(took time.Duration) {
	result, style := fmt.Sprintf("all %d claims hold", s.claims), green
	if s.failed > 0 {
		result, style = fmt.Sprintf("%d of %d claims FAILED", s.failed, s.claims), red
	}
	s.printf("\n%s (%.1f s; the namespaces are gone)\n", s.paint(style, result), took.Seconds())
}
