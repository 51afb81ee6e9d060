// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

var errPlace = errors.New("no such place for a dict term")

// reveal returns line, one line that nft prints, with the terms in place of their
// placeholders. A token that is not in a placeholder's form is an error: it would
// show what the user did not write.
func (t *terms) reveal(line []byte) ([]byte, error) {
	var out []byte
	for {
		e, at := t.find(line)
		if e == nil {
			break
		}
		start, end, ok := printed(line, at, e)
		if !ok {
			return nil, fmt.Errorf("%s: nft prints it in a form that has no dict term: %w", e.text, errPlace)
		}
		out = append(out, line[:start]...)
		if line = line[end:]; e.kind != Value {
			out = append(out, e.text...)
			continue
		}
		if line, ok = t.uncarried(bytes.TrimPrefix(line, []byte(" ")), e); !ok {
			return nil, fmt.Errorf("%s: %w", e.text, errCarrier)
		}
	}
	if out == nil {
		return line, nil
	}
	return append(out, line...), nil
}

// uncarried returns line, what follows the placeholder of a value, with the value
// in place of its carrier.
func (t *terms) uncarried(line []byte, e *term) ([]byte, bool) {
	text := []byte(e.carrier.text(t.base))
	i := t.carrierAt(line, text)
	if i < 0 { // some keys of meta are printed without that word
		text = bytes.TrimPrefix(text, []byte("meta "))
		i = t.carrierAt(line, text)
	}
	if i < 0 {
		return nil, false
	}
	out := slices.Concat(line[:i], []byte(e.text), line[i+len(text):])
	if e.carrier.class == Bool {
		out = truthful(out, i, i+len(e.text))
	}
	return out, true
}

// truthful returns line with a Bool's words where nft has its own for the value at
// line[start:end].
func truthful(line []byte, start, end int) []byte {
	var out []byte
	at := 0
	for _, w := range truths(line, 0, start, end, "exists", "missing") {
		out = append(append(out, line[at:w.start]...), truthWord[string(line[w.start:w.end])]...)
		at = w.end
	}
	return append(out, line[at:]...)
}

var truthWord = map[string]string{"exists": "true", "missing": "false"}

// carrierAt returns where the text of a carrier stands, or -1. The placeholder of
// another value may begin with the same words, and is none.
func (t *terms) carrierAt(line, text []byte) int {
	for from := 0; ; {
		i := bytes.Index(line[from:], text)
		if i < 0 {
			return -1
		}
		i += from
		from = i + len(text)
		if t.at(bytes.TrimLeft(line[from:], ` "`)) == nil {
			return i
		}
	}
}

// printed returns the bounds of the placeholder that nft printed around the token
// at line[at:].
func printed(line []byte, at int, e *term) (start, end int, ok bool) {
	start, end = at, at+tokenLen
	quoted := start > 0 && line[start-1] == '"'
	if quoted {
		if end >= len(line) || line[end] != '"' {
			return 0, 0, false
		}
		start, end = start-1, end+1
	}
	word := placeholderKey // nft prints none that it has read with -o
	if e.kind == Statement {
		word = placeholderObject
	}
	head, ok := bytes.CutSuffix(line[:start], []byte(word+" "))
	if !ok {
		return 0, 0, false
	}
	head = bytes.TrimSuffix(head, []byte("meta "))
	return len(head), end, true
}

// listing is a writer that passes on what nft prints, in whole lines and with
// the terms in place of their placeholders.
type listing struct {
	terms *terms
	json  JSONCodec // nil where nft prints text
	to    io.Writer
	part  []byte // the last line so far
	err   error  // once set, nothing more is written
}

// Write takes any piece of the output. It keeps a line that is not whole yet.
func (l *listing) Write(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		l.part = append(l.part, p...)
		return len(p), nil
	}
	whole := p[:end]
	if len(l.part) > 0 {
		whole = append(l.part, whole...)
	}
	l.err = l.emit(whole)
	l.part = append(l.part[:0], p[end:]...)
	return len(p), l.err
}

// Close writes a last line without newline.
func (l *listing) Close() error {
	if l.err == nil && len(l.part) > 0 {
		l.err = l.emit(l.part)
		l.part = nil
	}
	return l.err
}

func (l *listing) emit(lines []byte) error {
	if bytes.Contains(lines, l.terms.mark) {
		var out []byte
		for line := range bytes.Lines(lines) {
			shown, err := l.reveal(line)
			if err != nil {
				return err
			}
			out = append(out, shown...)
		}
		lines = out
	}
	_, err := l.to.Write(lines)
	return err
}

func (l *listing) reveal(line []byte) ([]byte, error) {
	if l.json != nil && isJSON(line) {
		return l.terms.revealJSON(l.json, line)
	}
	return l.terms.reveal(line)
}
