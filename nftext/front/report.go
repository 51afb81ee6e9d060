// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
func (r *report) Close() error { return r.flush() }

// flush writes what there is, which ends with a message.
func (r *report) flush() error {
	out := r.terms.restore(r.text)
	r.text = nil
	if len(out) == 0 {
		return nil
	}
	_, err := r.to.Write(out)
	return err
}

// restore translates everything nft printed as errors. A failed term that nft's
// messages do not point at gets a message of its own.
func (t *terms) restore(text []byte) []byte {
	text = t.restoreJSON(text)
	var lines []string
	for l := range bytes.Lines(text) {
		lines = append(lines, string(l))
	}
	for i := range lines {
		var at place
		if i > 0 {
			at = placeOf(lines[i-1])
		}
		l, ok := t.source(at, strings.TrimSuffix(lines[i], "\n"))
		if shown, merged := t.optimized(lines[i]); merged {
			lines[i] = shown
			continue
		}
		if !ok {
			if e, _ := t.find([]byte(lines[i])); e != nil {
				lines[i] = t.elsewhere(lines[i])
			}
			continue
		}
		if i+1 < len(lines) && isCarets(lines[i+1]) {
			carets, e := l.moveCarets(lines[i+1])
			lines[i-1] = t.retitle(lines[i-1], l, carets, e)
			lines[i+1] = carets
		}
		lines[i] = l.shown + "\n"
	}
	out := []byte(strings.Join(lines, ""))
	for _, e := range t.untold() {
		t.tell(e)
		out = append(out, diagnose("", []byte(e.shown()), e.textError())...)
	}
	return out
}

// optimized returns a line in which nft -o names a rule that it merges, which has no
// term itself but may stand beside one that has: "rules.nft:3:5-9: " and the line of
// the text.
func (t *terms) optimized(line string) (shown string, ok bool) {
	at, rest, ok := title(line)
	if !ok || !t.opaque {
		return "", false
	}
	l, ok := t.source(at, strings.TrimSuffix(rest[len(": "):], "\n"))
	if !ok {
		return "", false
	}
	var from, to int
	if _, err := fmt.Sscanf(line[len(at.name):], fmt.Sprintf(":%d:%%d-%%d", at.line), &from, &to); err != nil || from < 1 || to < from || to > maxMessage {
		return "", false
	}
	carets, _ := l.moveCarets(strings.Repeat(" ", from-1) + strings.Repeat("^", to-from+1))
	carets = strings.TrimSuffix(carets, "\n")
	return fmt.Sprintf("%s:%d:%d-%d: %s\n", at.name, at.line, strings.IndexByte(carets, '^')+1, len(carets), l.shown), true
}

// elsewhere returns a line that the place before it does not name, with terms in
// place of tokens: at the end of a file nft shows the line before.
func (t *terms) elsewhere(line string) string {
	if l, ok := t.anySource(strings.TrimSuffix(line, "\n")); ok {
		return l.shown + "\n"
	}
	return t.describe([]byte(line))
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

func isCarets(line string) bool {
	return strings.ContainsAny(line, "^~") && strings.Trim(line, " \t^~\n") == ""
}

// moveCarets moves the marks under the line along with its text. A run that
// starts in a placeholder marks the whole term, or what its failure points at; at
// is the first such part. A value that failed is marked wherever the run starts.
func (l *sourceLine) moveCarets(carets string) (moved string, at *part) {
	carets = strings.TrimSuffix(carets, "\n")
	under := func(column int) byte {
		if column >= 0 && column < len(carets) && carets[column] != '\t' {
			return carets[column]
		}
		return ' '
	}
	var out []byte
	mark := func(column int, with byte) {
		for len(out) <= column {
			blank := byte(' ')
			if len(out) < len(l.shown) && l.shown[len(out)] == '\t' {
				blank = '\t'
			}
			out = append(out, blank)
		}
		if with != ' ' {
			out[column] = with
		}
	}
	old, shown := 0, 0
	along := func(end int) { // text that no part changed
		for ; old < end; old, shown = old+1, shown+1 {
			if c := under(old); c != ' ' {
				mark(shown, c)
			}
		}
	}
	var failed *part
	for i := range l.parts {
		p := &l.parts[i]
		along(p.at)
		c, starts := byte(' '), false
		for column := p.at; column < p.end && c == ' '; column++ {
			c = under(column)
		}
		starts = c != ' ' && under(p.at-1) != c
		from, to := 0, p.newEnd-p.newAt
		if to == 0 && starts && c == '^' { // nft means the word behind the placeholder of a value
			to = max(strings.IndexAny(l.shown[p.newAt:]+" ", " \t"), 1)
		}
		if c == '^' && starts && at == nil {
			at = p
		}
		if c != ' ' && p.failure != nil && p.term.kind == Value && to > 0 && failed == nil {
			failed = p
		}
		if starts {
			from, to = p.blamed(to)
		}
		for column := from; column < to && c != ' '; column++ {
			mark(p.newAt+column, c)
		}
		old, shown = p.end, p.newEnd
	}
	along(len(carets))
	if failed != nil && (at == nil || at.failure == nil) {
		at, out = failed, out[:0]
		from, to := failed.blamed(failed.newEnd - failed.newAt)
		for column := from; column < to; column++ {
			mark(failed.newAt+column, '^')
		}
	}
	return string(out) + "\n", at
}

// blamed returns which columns of a part, as many as width, its failure is about.
func (p *part) blamed(width int) (from, to int) {
	var where *TextError
	if p.term == nil || p.term.spelled != "" || !errors.As(p.failure, &where) {
		return 0, width
	}
	from, to = where.Offset-p.offset, where.End-p.offset
	if to <= from {
		to = width
	}
	if from, to = max(from, 0), min(to, width); from >= to {
		return 0, width
	}
	return from, to
}

// title takes apart a line such as "rules.nft:3:5-9: Error: ...": the place, and
// what follows the columns.
func title(line string) (at place, rest string, ok bool) {
	digits := func(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
	for i := range len(line) {
		if line[i] != ':' {
			continue
		}
		number, behind, _ := strings.Cut(line[i+1:], ":")
		if n := digits(number); n == 0 || n < len(number) {
			continue
		}
		from := digits(behind)
		if from == 0 || !strings.HasPrefix(behind[from:], "-") {
			continue
		}
		to := digits(behind[from+1:])
		if rest = behind[from+1+to:]; to == 0 || !strings.HasPrefix(rest, ": ") {
			continue
		}
		n, err := strconv.Atoi(number)
		return place{line[:i], n}, rest, err == nil
	}
	return at, "", false
}

// placeOf returns the place that a message names, of which the first line of nft's
// arguments is that without a name.
func placeOf(line string) place {
	if at, _, ok := title(line); ok {
		return at
	}
	return place{line: 1}
}

// retitle mends the line before a source line: the columns, and the message where
// the carets point at a term that failed.
func (t *terms) retitle(line string, l sourceLine, carets string, at *part) string {
	if at != nil && at.failure != nil {
		t.tell(at.term)
		if i := strings.Index(line, "Error: "); i >= 0 {
			line = line[:i] + "Error: " + at.failure.Error() + "\n"
		}
	}
	if at != nil { // nft names the first word it met
		word := firstWord(l.hidden[at.at:])
		line = strings.Replace(line, "unexpected "+word, "unexpected "+firstWord(l.shown[at.newAt:]), 1)
	}
	from := strings.IndexByte(carets, '^')
	if p, rest, ok := title(line); ok && from >= 0 {
		to := from + len(carets[from:]) - len(strings.TrimLeft(carets[from:], "^"))
		line = fmt.Sprintf("%s:%d:%d-%d%s", p.name, p.line, from+1, to, rest)
	}
	return line
}

func firstWord(s string) string {
	if i := strings.IndexAny(s, " \t\n"); i >= 0 {
		return s[:i]
	}
	return s
}
