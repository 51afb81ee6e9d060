// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"fmt"
	"strings"
)

// hide returns src, the nft text called name, with a placeholder in place of each
// dict term, and whether there was one. Line numbers stay, and so do columns except
// after a term shorter than its placeholder. Errors are those of Codec.Find.
func (t *terms) hide(codec Codec, name string, src []byte) (out []byte, changed bool, err error) {
	if !bytes.Contains(src, []byte("dict")) {
		return src, false, nil
	}
	spans, err := codec.Finder().Find(src, nil)
	if err != nil || len(spans) == 0 {
		return src, false, err
	}
	out = make([]byte, 0, len(src)+64)
	at, folded := 0, false
	for _, s := range spans {
		if s.Start < at || s.End <= s.Start || s.End > len(src) {
			return nil, false, fmt.Errorf("codec returned the span %d..%d after offset %d in a text of %d bytes", s.Start, s.End, at, len(src))
		}
		out = append(out, src[at:s.Start]...)
		text := string(src[s.Start:s.End])
		folded = folded || strings.Contains(text, "\n")
		out = append(out, t.placeholder(s.Kind, text)...)
		at = s.End
	}
	out = append(out, src[at:]...)
	if folded {
		t.fold(name, src, out)
	}
	return out, true, nil
}

// place is a line of a text that nft reads.
type place struct {
	name string
	line int // from 1
}

// fold notes the lines that hold a part of a term but no token, by which they
// could be told.
func (t *terms) fold(name string, src, out []byte) {
	shown, hidden := strings.Split(string(src), "\n"), strings.Split(string(out), "\n")
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range min(len(shown), len(hidden)) {
		if shown[i] != hidden[i] && !strings.Contains(hidden[i], string(t.mark)) {
			t.folds[place{name, i + 1}] = [2]string{hidden[i] + "\n", shown[i] + "\n"}
		}
	}
}

// unfold returns such a line as the user wrote it, any other as it is.
func (t *terms) unfold(at place, line string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.folds[at]; f[0] == line && line != "" {
		return f[1]
	}
	return line
}

// placeholder returns the text that stands for a term while nft reads it: as many
// lines as the term, each as long as the term's.
func (t *terms) placeholder(kind Kind, text string) string {
	e := t.intern(kind, text)
	word := placeholderWord(kind) + " " + e.token
	lines := strings.Split(text, "\n")
	host := 0 // the line that holds the word: the first with room for it
	for i, l := range lines {
		if len(strings.TrimSuffix(l, `\`)) >= len(word) {
			host = i
			break
		}
	}
	var b strings.Builder
	for i, l := range lines {
		width := len(strings.TrimSuffix(l, `\`))
		piece := ""
		if i == host {
			piece = word
		}
		if pad := width - len(piece); pad > 0 {
			piece += strings.Repeat(" ", pad)
		}
		if i == host {
			t.show(e, piece, l[:width])
		}
		b.WriteString(piece)
		if i < len(lines)-1 {
			b.WriteString("\\\n")
		}
	}
	return b.String()
}

// show notes which part of a term its placeholder hides.
func (t *terms) show(e *term, hidden, shown string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.hidden, e.shown = hidden, shown
}

// placeholderWord is what precedes the token in text. As a match it is a key the
// kernel refuses outside of bridges; as a statement it is an object nobody has.
func placeholderWord(kind Kind) string {
	if kind == Statement {
		return "quota name"
	}
	return "ibrname"
}
