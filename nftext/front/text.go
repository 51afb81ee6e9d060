// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"fmt"
	"strings"
)

// hide returns src, nft text, with a placeholder in place of each dict term, and
// whether there was one. Line numbers stay, and so do columns except after a
// term shorter than its placeholder. Errors are those of Codec.Find.
func (t *terms) hide(codec Codec, src []byte) (out []byte, changed bool, err error) {
	if !bytes.Contains(src, []byte("dict")) {
		return src, false, nil
	}
	spans, err := codec.Find(src)
	if err != nil || len(spans) == 0 {
		return src, false, err
	}
	out = make([]byte, 0, len(src)+64)
	at := 0
	for _, s := range spans {
		if s.Start < at || s.End <= s.Start || s.End > len(src) {
			return nil, false, fmt.Errorf("codec returned the span %d..%d after offset %d in a text of %d bytes", s.Start, s.End, at, len(src))
		}
		out = append(out, src[at:s.Start]...)
		out = append(out, t.placeholder(s.Kind, string(src[s.Start:s.End]))...)
		at = s.End
	}
	return append(out, src[at:]...), true, nil
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
