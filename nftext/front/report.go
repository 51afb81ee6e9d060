// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// report is a writer for what nft prints as errors. On Close it passes them on
// with the user's own text in place of placeholders, carets and columns moved
// along, and the reason where a term did not compile.
type report struct {
	terms *terms
	to    io.Writer
	text  []byte
}

// Write keeps p until Close.
func (r *report) Write(p []byte) (int, error) {
	r.text = append(r.text, p...)
	return len(p), nil
}

// Close writes everything.
func (r *report) Close() error {
	out := r.terms.restore(r.text)
	if len(out) == 0 {
		return nil
	}
	_, err := r.to.Write(out)
	return err
}

// restore translates everything nft printed as errors. A failed term that nft's
// messages do not point at gets a message of its own.
func (t *terms) restore(text []byte) []byte {
	var lines []string
	for l := range bytes.Lines(text) {
		lines = append(lines, string(l))
	}
	for i := range lines {
		if i > 0 {
			lines[i] = t.unfold(placeOf(lines[i-1]), lines[i])
		}
		line := []byte(lines[i])
		if e, _ := t.find(line); e == nil {
			continue
		}
		source, parts := t.unhide(line)
		if len(parts) > 0 && i+1 < len(lines) && isCarets(lines[i+1]) {
			carets, e := moveCarets(lines[i+1], parts)
			if i > 0 {
				lines[i-1] = t.retitle(lines[i-1], carets, e)
			}
			lines[i+1] = carets
		}
		lines[i] = t.describe(source)
	}
	out := []byte(strings.Join(lines, ""))
	for _, e := range t.untold() {
		out = append(out, diagnose("", []byte(e.text), textError(e.failure, e.text))...)
	}
	return out
}

// describe returns a line with the terms in place of all tokens: a message may name
// one in any form.
func (t *terms) describe(line []byte) string {
	if shown, err := t.reveal(line); err == nil {
		return string(shown)
	}
	for e, i := t.find(line); e != nil; e, i = t.find(line) {
		line = slices.Concat(line[:i], []byte(e.text), line[i+tokenLen:])
	}
	return string(line)
}

// part is one placeholder in a source line: columns [at, end) became [newAt, newEnd).
type part struct {
	at, end, newAt, newEnd int
	term                   *term
	failure                error
}

// unhide returns a line of the text that nft read as the user wrote it.
func (t *terms) unhide(line []byte) (out []byte, parts []part) {
	for at := 0; ; {
		e, i := t.find(line[at:])
		if e == nil {
			return append(out, line[at:]...), parts
		}
		start := at + i - len(placeholderWord(e.kind)) - 1
		if e.hidden == "" || start < at || !bytes.HasPrefix(line[start:], []byte(e.hidden)) {
			out = append(out, line[at:at+i+tokenLen]...)
			at += i + tokenLen
			continue
		}
		out = append(out, line[at:start]...)
		p := part{at: start, end: start + len(e.hidden), newAt: len(out), term: e}
		out = append(out, e.shown...)
		p.newEnd = len(out)
		p.failure = t.failed(e)
		parts = append(parts, p)
		at = p.end
	}
}

func isCarets(line string) bool {
	return strings.ContainsAny(line, "^~") && strings.Trim(line, " \t^~\n") == ""
}

// moveCarets moves the marks under a line along with its text. A run that starts
// in a placeholder marks the whole term, or what its failure points at; e is the
// first such part.
func moveCarets(carets string, parts []part) (string, *part) {
	var (
		out   []byte
		first *part
		line  = strings.TrimSuffix(carets, "\n")
		at    = 0
	)
	for i := range parts {
		p := &parts[i]
		if p.at >= len(line) {
			break
		}
		out = append(out, line[at:p.at]...)
		under := line[p.at:min(p.end, len(line))]
		at = min(p.end, len(line))
		mark := byte(' ')
		if j := strings.IndexAny(under, "^~"); j >= 0 {
			mark = under[j]
		}
		from, to := 0, p.newEnd-p.newAt
		if starts := p.at == 0 || line[p.at-1] != mark; mark != ' ' && starts {
			if first == nil && mark == '^' {
				first = p
			}
			var where *TextError
			if p.term.shown == p.term.text && errors.As(p.failure, &where) && where.Offset < to {
				from = max(where.Offset, 0)
				if where.End > from {
					to = min(where.End, to)
				}
			}
		}
		for c := range p.newEnd - p.newAt {
			switch {
			case mark != ' ' && c >= from && c < to:
				out = append(out, mark)
			case p.term.shown[c] == '\t':
				out = append(out, '\t')
			default:
				out = append(out, ' ')
			}
		}
	}
	out = append(out, line[at:]...)
	return strings.TrimRight(string(out), " ") + "\n", first
}

// placeOf returns the place that a message names, of which the first line of nft's
// arguments is that without a name.
func placeOf(title string) place {
	m := columns.FindStringSubmatch(title)
	if m == nil {
		return place{line: 1}
	}
	n, _ := strconv.Atoi(m[2])
	return place{m[1], n}
}

var (
	columns    = regexp.MustCompile(`^(.*):(\d+):\d+-\d+(: .*\n?)$`)
	errorTitle = regexp.MustCompile(`^((?:.*:\d+:\d+-\d+: )?Error: ).*`)
)

// retitle mends the line before a source line: the columns, and the message where
// the carets point at a term that failed.
func (t *terms) retitle(title, carets string, at *part) string {
	if at != nil && at.failure != nil {
		t.tell(at.term)
		title = errorTitle.ReplaceAllString(title, "${1}"+strings.ReplaceAll(at.failure.Error(), "$", "$$"))
	}
	if at != nil { // nft names the first word it met
		word, _, _ := strings.Cut(placeholderWord(at.term.kind), " ")
		title = strings.Replace(title, "unexpected "+word, "unexpected dict", 1)
	}
	if from := strings.IndexByte(carets, '^'); from >= 0 {
		to := from + len(carets[from:]) - len(strings.TrimLeft(carets[from:], "^"))
		title = columns.ReplaceAllString(title, fmt.Sprintf("${1}:${2}:%d-%d${3}", from+1, to))
	}
	return title
}
