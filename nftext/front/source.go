// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"fmt"
	"strings"
)

// edit replaces src[at:end], a term or nothing, by text in what nft reads.
type edit struct {
	at, end int
	text    string
	term    *term // nil for text that no message is about
}

// place is a line of a text that nft reads.
type place struct {
	name string // "" for commands given as arguments
	line int    // from 1
}

// sourceLine is a line of a text that was rewritten, without its end.
type sourceLine struct {
	hidden, shown string // as nft reads it, and as the user wrote it
	parts         []part
}

// part is what was rewritten in a line: columns [at, end) of what nft reads stand
// for [newAt, newEnd) of the user's.
type part struct {
	at, end, newAt, newEnd int
	term                   *term
	offset                 int // of newAt in the term
	failure                error
}

// rewrite returns src with edits, which are in order, and keeps the lines with
// an edit for messages about them.
func (t *terms) rewrite(name string, src []byte, edits []edit) ([]byte, error) {
	out := make([]byte, 0, len(src)+16*len(edits))
	var (
		at       int // in src
		line     = 1
		from, to int // where the line begins, in src and in out
		parts    []part
	)
	keep := func(end int) { // the line ends in src
		if parts != nil {
			t.keep(place{name, line}, sourceLine{string(out[to:]), string(src[from:end]), parts})
			parts = nil
		}
		line, from, to = line+1, end+1, len(out)+1
	}
	copied := func(end int) { // what no edit changes
		for at < end {
			i := bytes.IndexByte(src[at:end], '\n')
			switch {
			case i >= 0 && parts != nil:
				out = append(out, src[at:at+i]...)
				keep(at + i)
				out = append(out, '\n')
				at += i + 1
			case i >= 0: // many lines at once
				i = bytes.LastIndexByte(src[at:end], '\n')
				line += bytes.Count(src[at:at+i+1], []byte("\n"))
				out = append(out, src[at:at+i+1]...)
				at += i + 1
				from, to = at, len(out)
			default:
				out = append(out, src[at:end]...)
				at = end
			}
		}
	}
	for _, e := range edits {
		if e.at < at {
			return nil, fmt.Errorf("codec returned spans that overlap at offset %d", e.at)
		}
		copied(e.at)
		pieces := layout(string(src[e.at:e.end]), e.text)
		for i, piece := range pieces {
			width := len(src[at:e.end])
			if i < len(pieces)-1 {
				width = bytes.IndexByte(src[at:e.end], '\n')
			}
			parts = append(parts, part{
				at: len(out) - to, end: len(out) - to + len(piece),
				newAt: at - from, newEnd: at - from + width,
				term: e.term, offset: at - e.at,
			})
			out = append(out, piece...)
			if at += width; i < len(pieces)-1 {
				keep(at)
				out = append(out, '\n')
				at++
			}
		}
	}
	copied(len(src))
	if parts != nil {
		keep(len(src))
	}
	return out, nil
}

// layout returns word as it stands in the place of old: as many lines, each as
// long as old's where word leaves room for it.
func layout(old, word string) []string {
	lines := strings.Split(old, "\n")
	host := 0 // the line that holds the word: the first with room for it
	for i, l := range lines {
		if len(strings.TrimSuffix(l, `\`)) >= len(word) {
			host = i
			break
		}
	}
	for i, l := range lines {
		piece := ""
		if i == host {
			piece = word
		}
		if pad := len(strings.TrimSuffix(l, `\`)) - len(piece); pad > 0 {
			piece += strings.Repeat(" ", pad)
		}
		if i < len(lines)-1 {
			piece += `\`
		}
		lines[i] = piece
	}
	return lines
}

func (t *terms) keep(at place, l sourceLine) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines[at] = l
}

// source returns the line at a place if it is the one that nft shows.
func (t *terms) source(at place, hidden string) (l sourceLine, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok = t.lines[at]
	if !ok || l.hidden != hidden {
		return l, false
	}
	for i := range l.parts {
		if e := l.parts[i].term; e != nil {
			l.parts[i].failure = e.failure
		}
	}
	return l, true
}

// anySource returns the line that nft reads as hidden, wherever it stands.
func (t *terms) anySource(hidden string) (sourceLine, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.lines {
		if l.hidden == hidden {
			return l, true
		}
	}
	return sourceLine{}, false
}
