// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"nftdict/dict"
	"nftdict/nftext/jsondoc"
)

// revealJSON returns line, one or more documents that nft prints, with dict
// objects in place of their placeholders. No other byte changes. A token that is
// not in a placeholder's form is an error: it would show what the user did not
// write.
func (t *terms) revealJSON(codec JSONCodec, line []byte) ([]byte, error) {
	r := jsonRevealer{terms: t, codec: codec}
	err := jsondoc.Walk(line, isExpressions, func(at *jsondoc.Path, start, end int) error {
		if !bytes.Contains(line[start:end], t.mark) {
			return nil
		}
		list, err := jsondoc.Parse(line[start:end])
		if err == nil {
			err = r.list(start, &list)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("output of nft: %w", err)
	}
	out := splice(line, r.edits)
	if e, _ := t.find(out); e != nil {
		return nil, fmt.Errorf("%s: nft prints it in a form that has no dict term: %w", e.text, errPlace)
	}
	return out, nil
}

// jsonRevealer puts dict objects back into a document.
type jsonRevealer struct {
	terms *terms
	codec JSONCodec
	edits []jsonEdit
}

// list puts them into the list of a rule's statements, which is at offset.
func (r *jsonRevealer) list(offset int, list *jsondoc.Node) error {
	var waiting []*term // values whose carriers follow
	for i := range list.Children {
		n := &list.Children[i]
		e := r.terms.placeholderJSON(n)
		switch {
		case e == nil:
			var err error
			if waiting, err = r.values(offset, n, waiting); err != nil {
				return err
			}
		case e.kind == Value && i+1 < len(list.Children):
			r.edits = append(r.edits, jsonEdit{offset + n.Start, offset + list.Children[i+1].Start, nil})
			waiting = append(waiting, e)
		case e.kind != Value:
			if err := r.put(offset, n, e); err != nil {
				return err
			}
		}
	}
	if len(waiting) > 0 {
		return fmt.Errorf("%s: %w: nft has no JSON for the statement that it stands in, list the rules as text", waiting[0].text, dict.ErrNotSupported)
	}
	return nil
}

// values puts values in the place of their carriers in a statement, and returns
// those that are not in it.
func (r *jsonRevealer) values(offset int, n *jsondoc.Node, waiting []*term) (rest []*term, err error) {
	first := len(r.edits)
	for _, e := range waiting {
		at := findCarrier(n, e.carrier, r.terms.base)
		if at == nil {
			rest = append(rest, e)
			continue
		}
		if err := r.put(offset, at, e); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(r.edits[first:], func(a, b jsonEdit) int { return a.start - b.start })
	return rest, nil
}

func (r *jsonRevealer) put(offset int, n *jsondoc.Node, e *term) error {
	text, err := r.codec.ToJSON(e.kind, e.text)
	if err != nil {
		return fmt.Errorf("%s as JSON: %w", e.text, err)
	}
	r.edits = append(r.edits, jsonEdit{offset + n.Start, offset + n.End, text})
	return nil
}

// placeholderJSON returns the term whose placeholder a statement is, or nil.
func (t *terms) placeholderJSON(n *jsondoc.Node) *term {
	token := n.Only("quota")
	statement := token != nil
	if m := n.Only("match"); m != nil {
		op, left := m.Member("op"), m.Member("left")
		if op == nil || left == nil || string(op.Raw) != `"=="` {
			return nil
		}
		if left = left.Only("meta"); left == nil || left.Only("key") == nil || string(left.Only("key").Raw) != `"ibrname"` {
			return nil
		}
		token = m.Member("right")
	}
	if token == nil {
		return nil
	}
	text, _ := token.Text()
	if len(text) != tokenLen {
		return nil
	}
	if e := t.at([]byte(text)); e != nil && (e.kind == Statement) == statement {
		return e
	}
	return nil
}

// refusedJSON is what nft says of a message in which the kernel has found an
// expression that stands for a failed term.
var refusedJSON = regexp.MustCompile(`(?m)^internal:\d+:\d+-\d+: Error: Could not process rule: Invalid argument\n\n?`)

// restoreJSON returns what nft printed as errors with the reasons why terms of a
// JSON document did not compile: nft does not say which of its rules failed.
func (t *terms) restoreJSON(text []byte) []byte {
	var (
		reasons strings.Builder
		rules   = map[string]bool{}
	)
	for _, e := range t.untold() {
		if e.path == "" {
			continue
		}
		t.tell(e)
		rules[e.path[:strings.LastIndex(e.path, "expr[")+len("expr")]] = true
		at := &TextError{End: len(e.text)}
		if where := (*TextError)(nil); errors.As(e.failure, &where) {
			at.Offset, at.End = where.Offset, where.End
		}
		at.Err = fmt.Errorf("%s: %w", e.path, e.failure)
		reasons.WriteString(diagnose("", []byte(e.text), at))
	}
	if len(rules) == 0 {
		return text
	}
	places := refusedJSON.FindAllIndex(text, len(rules))
	if len(places) == 0 {
		return append(text, reasons.String()...)
	}
	out := append([]byte(nil), text[:places[0][0]]...)
	out = append(out, reasons.String()...)
	for i, p := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		out = append(out, text[p[1]:end]...)
	}
	return out
}
