// SPDX-License-Identifier: MIT

package main

import (
	"regexp"
	"strings"
)

var (
	link = regexp.MustCompile(`\[([^]]+)\]\([^)]+\)`)
	bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// signs are the characters that troff would take for its own, or print as
// something that does not copy as it was.
var signs = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`)

// escape returns text that prints as it stands.
func escape(s string) string { return signs.Replace(s) }

// guard keeps a line that begins like a request from being one.
func guard(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, `'`) {
		return `\&` + line
	}
	return line
}

// inline returns a text with the marks that stand in lines.
func inline(s string) string {
	var out strings.Builder
	for i, part := range strings.Split(s, "`") {
		if i%2 == 1 {
			out.WriteString(`\fB` + escape(part) + `\fR`)
			continue
		}
		part = link.ReplaceAllString(part, "$1")
		part = bold.ReplaceAllString(escape(part), `\fB$1\fR`)
		out.WriteString(part)
	}
	return out.String()
}

// prose returns a paragraph in lines of moderate length, none of which begins
// like a request.
func prose(s string) string {
	var out strings.Builder
	length := 0
	for _, word := range strings.Fields(inline(s)) {
		switch {
		case length == 0:
		case length+1+len(word) > 78:
			out.WriteByte('\n')
			length = 0
		default:
			out.WriteByte(' ')
			length++
		}
		if length == 0 {
			word = guard(word)
		}
		out.WriteString(word)
		length += len(word)
	}
	return out.String()
}
