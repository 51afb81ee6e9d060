// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// wide is from how many characters on a column is filled like a paragraph.
const wide = 26

// table writes a table for tbl(1): columns with long cells share what width is
// left. A fresh one stands under a heading.
func table(out *bytes.Buffer, lines []string, fresh bool) error {
	var rows [][]string
	for _, l := range lines {
		cells := strings.Split(strings.Trim(strings.TrimSpace(strings.ReplaceAll(l, `\|`, "\x00")), "|"), "|")
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(c), "\x00", "|")
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 || strings.Trim(rows[1][0], "-: ") != "" {
		return fmt.Errorf("a table without a head")
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		if len(row) != len(width) {
			return fmt.Errorf("a row of %d cells in a table of %d: %q", len(row), len(width), row)
		}
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var format []string
	for _, w := range width {
		if w >= wide {
			format = append(format, "lx")
		} else {
			format = append(format, "l")
		}
	}
	if !fresh {
		fmt.Fprintln(out, ".PP")
	}
	fmt.Fprintf(out, ".TS\n%s.\n", strings.Join(format, " "))
	for r, row := range rows {
		if r == 1 {
			fmt.Fprintln(out, "_")
			continue
		}
		for i, c := range row {
			text := inline(c)
			if r == 0 && text != "" {
				text = `\fI` + text + `\fR`
			}
			if width[i] >= wide && r > 0 {
				text = "T{\n" + prose(c) + "\nT}"
			}
			if i > 0 {
				fmt.Fprint(out, "\t")
			}
			fmt.Fprint(out, text)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, ".TE")
	return nil
}
