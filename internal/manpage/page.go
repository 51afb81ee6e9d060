// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// Page is the head of a manual page.
type Page struct {
	Name, Section string // as in NAME(SECTION)
	Date          string // YYYY-MM-DD
	About         string // the line behind the name
}

// Convert returns the page that a document becomes, in the man macros of troff.
// What cannot be printed is an error that begins with the line's number.
func (p Page) Convert(src string) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "'\\\" t\n.\\\" SPDX-License-Identifier: MIT\n.\\\" Written by make generate; the source is beside this directory.\n")
	fmt.Fprintf(&out, ".TH %s %s %s nftdict \"nftdict manual\"\n.ad l\n.nh\n.SH NAME\n%s \\- %s\n",
		strings.ToUpper(p.Name), p.Section, p.Date, inline(p.Name), inline(p.About))
	lines := strings.Split(strings.TrimRight(src, "\n"), "\n")
	fresh := true // no paragraph macro is needed: a heading came before
	for i := 0; i < len(lines); {
		n, err := 1, error(nil)
		switch line := lines[i]; {
		case line == "" || strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "### "):
			fmt.Fprintf(&out, ".SS %s\n", inline(line[4:]))
			fresh = true
		case strings.HasPrefix(line, "## "):
			fmt.Fprintf(&out, ".SH %s\n", inline(strings.ToUpper(line[3:])))
			fresh = true
		case strings.HasPrefix(line, "    "):
			n = span(lines[i:], func(l string) bool { return strings.HasPrefix(l, "    ") })
			literal(&out, lines[i:i+n], fresh)
			fresh = false
		case strings.HasPrefix(line, "| "):
			n = span(lines[i:], func(l string) bool { return strings.HasPrefix(l, "|") })
			err = table(&out, lines[i:i+n], fresh)
			fresh = false
		case strings.HasPrefix(line, "- "):
			n = 1 + span(lines[i+1:], func(l string) bool { return strings.HasPrefix(l, "  ") })
			text := strings.Join(lines[i:i+n], "\n")
			if strings.Contains(text, "\n  - ") || strings.Contains(text, "\n    ") {
				err = fmt.Errorf("a list or block within a list")
			}
			fmt.Fprintf(&out, ".IP \\(bu 2\n%s\n", prose(text[2:]))
			fresh = false
		case strings.HasPrefix(line, "#"), strings.HasPrefix(line, "```"), strings.HasPrefix(line, " "), numbered.MatchString(line):
			err = fmt.Errorf("not understood: %s", line)
		default:
			n = span(lines[i:], func(l string) bool {
				return l != "" && !strings.HasPrefix(l, "- ") && !strings.HasPrefix(l, "#") && !strings.HasPrefix(l, "|")
			})
			if !fresh {
				fmt.Fprintln(&out, ".PP")
			}
			fmt.Fprintln(&out, prose(strings.Join(lines[i:i+n], "\n")))
			fresh = false
		}
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
		i += n
	}
	return out.Bytes(), nil
}

var numbered = regexp.MustCompile(`^[0-9]+\. `)

// span counts the lines at the beginning that belong to what begins there;
// blank lines do between two that do not end an indented block.
func span(lines []string, belongs func(string) bool) int {
	n := 0
	for i, l := range lines {
		if belongs(l) {
			n = i + 1
		} else if l != "" || !strings.HasPrefix(lines[0], "    ") {
			break
		}
	}
	return n
}

// literal writes an indented block as it stands.
func literal(out *bytes.Buffer, lines []string, fresh bool) {
	if !fresh {
		fmt.Fprintln(out, ".PP")
	}
	fmt.Fprintln(out, ".nf\n.RS 4")
	for _, l := range lines {
		fmt.Fprintln(out, guard(escape(strings.TrimPrefix(l, "    "))))
	}
	fmt.Fprintln(out, ".RE\n.fi")
}
