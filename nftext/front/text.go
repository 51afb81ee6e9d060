// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"nftdict/dict"
)

// hide returns src, the nft text called name, with a placeholder in place of each
// of its terms, and whether there was one. Line numbers stay, and so do columns
// except behind a term shorter than its placeholder and behind the start of a
// statement with a value.
func (t *terms) hide(name string, src []byte, spans []Span) (out []byte, changed bool, err error) {
	if len(spans) == 0 {
		return src, false, nil
	}
	edits := make([]edit, 0, len(spans)+len(spans)/2)
	var (
		at    int
		taken []carrier // in statement
		start = -1      // of the statement
		bare  = bare(src, spans)
	)
	for _, s := range spans {
		if s.Start < at || s.End <= s.Start || s.End > len(src) || s.Statement > s.Start || s.Statement < 0 {
			return nil, false, fmt.Errorf("codec returned the span %d..%d after offset %d in a text of %d bytes", s.Start, s.End, at, len(src))
		}
		at = s.End
		key := termKey{kind: s.Kind, text: string(src[s.Start:s.End])}
		if s.Text != "" && s.Text != key.text {
			key.text, key.spelled = s.Text, key.text
		}
		if s.Kind == Value {
			if s.Statement != start {
				start, taken = s.Statement, taken[:0]
			}
			if key.carrier, err = t.spare(s, bare, taken); err != nil {
				return nil, false, &TextError{Offset: s.Start, End: s.End, Err: err}
			}
			taken = append(taken, key.carrier)
			if s.Class == Ether {
				key.frame = frameIn(bare[s.End:])
			}
		}
		e := t.entry(key)
		word := t.placeholder(e)
		if s.Kind == Value {
			edits = append(edits, edit{s.Statement, s.Statement, t.placeholder(e) + " ", e})
			if s.Class == Bool {
				for _, w := range truths(bare, s.Statement, s.Start, s.End, "true", "false") {
					edits = append(edits, edit{w.start, w.end, truthDigit[string(src[w.start:w.end])], nil})
				}
			}
			word = key.carrier.text(t.base)
			if end := s.End; end < len(src) && strings.IndexByte(" \t\r\n;{}", src[end]) < 0 {
				word += " " // nft reads @th,0,32:80 as one word
			}
		}
		edits = append(edits, edit{s.Start, s.End, word, e})
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(a.at-b.at, a.end-b.end) })
	out, err = t.rewrite(name, src, edits)
	return out, err == nil, err
}

// bare returns src, if it holds values, with blanks in the place of its terms: what
// they are spelled with is not the user's use of a carrier.
func bare(src []byte, spans []Span) []byte {
	if !slices.ContainsFunc(spans, func(s Span) bool { return s.Kind == Value }) {
		return src
	}
	out := bytes.Clone(src)
	for _, s := range spans {
		if s.Start >= 0 && s.Start < s.End && s.End <= len(src) {
			copy(out[s.Start:s.End], bytes.Repeat([]byte(" "), s.End-s.Start))
		}
	}
	return out
}

// frameIn returns what is matched of the frame in the rest of a rule.
func frameIn(rest []byte) (f frame) {
	s := scan{src: rest}
	for depth, last := 0, ""; ; {
		t := s.next()
		switch {
		case t == "", depth == 0 && (t == "\n" || t == ";" || t == "}"):
			return f
		case t == "{":
			depth++
		case t == "}":
			depth--
		case last == "ether" && t == "type":
			return frameType
		case t == "ether", t == "vlan":
			f = someFrame
		}
		last = t
	}
}

// truthDigit is what nft takes a Bool's words for.
var truthDigit = map[string]string{"true": "1", "false": "0"}

// spare returns a carrier for a value that is not among those taken and that the
// user's own text of the statement does not hold.
func (t *terms) spare(s Span, src []byte, taken []carrier) (carrier, error) {
	statement := src[s.Statement:]
	if s.Class == Ether { // rules on frames often match them beside
		if rawType(ruleAround(src, s)) {
			return carrier{}, errRawType
		}
		statement = src[s.Statement:statementEnd(src, s.End)]
	} else if i := bytes.IndexByte(src[s.End:], '\n'); i >= 0 {
		statement = src[s.Statement : s.End+i]
	}
	statement = bytes.Join(bytes.Fields(bytes.ReplaceAll(statement, []byte("\\\n"), []byte(" "))), []byte(" "))
	// nft 1.1 takes no raw payload for a priority or a port.
	before := append([][]byte{nil, nil}, bytes.Fields(src[s.Statement:s.Start])...)
	last, target := string(before[len(before)-1]), string(before[len(before)-2])
	if last == "set" && target == "priority" {
		s.Place = Condition
	}
	candidates := s.candidates(s.Place == Listed)
	if s.Class == Integer16 && (strings.HasSuffix(last, ":") || last == "set" && (target == "sport" || target == "dport")) {
		candidates = candidates[:min(len(candidates), carriers(IPv4))]
		for i := range candidates {
			candidates[i].port = true
		}
	}
	if len(candidates) == 0 {
		return carrier{}, errJoined
	}
	for _, c := range candidates {
		text := c.text(t.base)
		_, word, _ := strings.Cut(text, " ")
		if c.mark || !c.raw && (c.class == Bool || c.class == Ether) {
			word = text
		}
		raw := word
		if c.class == Ether && !c.raw { // the same bytes
			raw = fmt.Sprintf("@ll,%d,%d", 8*etherOffset(c.n), 8*c.class.Width())
		}
		if !slices.Contains(taken, c) && (word == "" || !bytes.Contains(statement, []byte(word)) && !bytes.Contains(statement, []byte(raw))) {
			return c, nil
		}
	}
	return carrier{}, errValues
}

var (
	errValues  = errors.New("too many values of a kind in one statement")
	errRawType = fmt.Errorf("the type in the frame as raw bytes beside a dictionary's MAC address, which nft says in the same way: %w: write ether type", dict.ErrNotSupported)
	errJoined  = fmt.Errorf("a number of this width in a concatenation that a statement looks up in a map, of which nft lists wrong elements: %w", dict.ErrNotSupported)
)

// placeholder returns the words that stand for a match or a statement, and that
// say of a value which term its carrier is. As a match it is a key the kernel
// refuses outside of bridges; as a statement it is an object nobody has. That is what
// nft -o takes for all: it merges matches, and statements that it knows it puts
// behind the verdicts that it merges.
func (t *terms) placeholder(e *term) string {
	if e.kind == Statement || t.opaque {
		return placeholderObject + " " + e.token
	}
	return placeholderKey + " " + e.token
}

const (
	placeholderObject = "quota name"
	placeholderKey    = "ibrname"
)
