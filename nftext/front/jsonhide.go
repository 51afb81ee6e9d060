// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nftdict/dict"
	"nftdict/nftext/jsondoc"
)

// hideJSON returns src, a document of nft's called name, with placeholders in
// place of its dict objects, and whether there was one. No other byte changes. An
// error about src is a *diagnosis; what is no JSON is left to nft.
func (x *texts) hideJSON(name string, src []byte) (out []byte, changed bool, err error) {
	h := jsonHider{terms: x.terms, codec: x.codec}
	var twice doubles
	err = jsondoc.Walk(src, twice.isExpressions, func(at *jsondoc.Path, start, end int) error {
		if !bytes.Contains(src[start:end], []byte(`"dict"`)) {
			return nil
		}
		if twice.first == nil {
			twice.first = &jsonFault{at.String(), start, end, errTwice}
		}
		list, err := jsondoc.Parse(src[start:end])
		if err != nil {
			return err
		}
		h.list, h.offset = &list, start
		for i := range list.Children {
			if err := h.statement(fmt.Sprintf("%v[%d]", at, i), &list.Children[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && twice.found && twice.first != nil {
		err = twice.first
	}
	var at *jsonFault
	switch {
	case errors.Is(err, jsondoc.ErrSyntax):
		return src, false, nil
	case errors.As(err, &at):
		return nil, false, &diagnosis{at.describe(name, src)}
	case err != nil:
		return nil, false, err
	}
	return splice(src, h.edits), len(h.edits) > 0, nil
}

// Of a member that is there twice nft takes the last, and what another holds is
// gone without a word.
var errTwice = fmt.Errorf("%w: this list, another, or what one is in, is there twice, and nft takes the last; a document with dict objects has each once", dict.ErrInvalid)

// doubles looks for members that are there twice on the way to lists of statements.
type doubles struct {
	seen  map[string]bool // by path: lists, and what they may be in
	found bool
	first *jsonFault // of the first list with dict objects
}

// isExpressions is the function of that name, and looks.
func (d *doubles) isExpressions(at *jsondoc.Path) bool {
	list := isExpressions(at)
	if !d.found && (list || at != nil && at.Index < 0 && (at.Up == nil || at.Up.Index >= 0 && at.Up.Up.Member("nftables") || at.Member("rule"))) {
		if d.seen == nil {
			d.seen = make(map[string]bool)
		}
		path := at.String()
		d.found = d.seen[path]
		d.seen[path] = true
	}
	return list
}

// jsonHider replaces the dict objects of a document.
type jsonHider struct {
	terms  *terms
	codec  JSONCodec
	list   *jsondoc.Node // the statements of the rule, which are at offset
	offset int
	edits  []jsonEdit
}

// jsonFault is an error about an object of a document.
type jsonFault struct {
	path       string
	start, end int // of the object in the document
	err        error
}

func (e *jsonFault) Error() string { return e.path + ": " + e.err.Error() }
func (e *jsonFault) Unwrap() error { return e.err }

func (h *jsonHider) fault(path string, n *jsondoc.Node, err error) error {
	return &jsonFault{pathOf(path, err), h.offset + n.Start, h.offset + n.End, err}
}

// statement hides the terms of one statement of a rule.
func (h *jsonHider) statement(path string, n *jsondoc.Node) error {
	if n.Kind != jsondoc.Object || len(n.Children) != 1 || !bytes.Contains(n.Raw, []byte(`"dict"`)) {
		return nil
	}
	body := &n.Children[0]
	if body.Key == "dict" || body.Key == "match" && isCondition(body) {
		s, err := h.codec.FromJSON(n.Raw)
		if err != nil {
			return h.fault(path, n, err)
		}
		e := h.terms.entry(termKey{kind: s.Kind, text: s.Text, path: path})
		h.edit(n, h.terms.appendPlaceholderJSON(nil, e))
		return nil
	}
	v := jsonValues{jsonHider: h}
	if err := v.find(path+"."+jsondoc.Name(body.Key), body, beginUse(body)); err != nil {
		return err
	}
	if len(v.markers) > 0 {
		at := h.offset + n.Start
		h.edits = append(append(h.edits, jsonEdit{at, at, v.markers}), v.edits...)
	}
	return nil
}

func (h *jsonHider) edit(n *jsondoc.Node, text []byte) {
	h.edits = append(h.edits, jsonEdit{h.offset + n.Start, h.offset + n.End, text})
}

// isCondition reports whether a match is a dict term as a whole: a field is
// compared with constants.
func isCondition(match *jsondoc.Node) bool {
	left, right := match.Member("left"), match.Member("right")
	if left == nil || left.Only("dict") == nil {
		return false
	}
	if right == nil {
		return true
	}
	text, _ := right.Text()
	return !strings.HasPrefix(text, "@")
}

// jsonValues finds the values of a statement.
type jsonValues struct {
	*jsonHider
	taken   []carrier
	markers []byte
	edits   []jsonEdit
}

// find hides the values in n, of which nft makes that use.
func (v *jsonValues) find(path string, n *jsondoc.Node, use Use) error {
	if d := n.Only("dict"); d != nil && d.Kind == jsondoc.Object {
		return v.value(path, n, use)
	}
	for i := range n.Children {
		p := fmt.Sprintf("%s[%d]", path, i)
		if n.Kind == jsondoc.Object {
			p = path + "." + jsondoc.Name(n.Children[i].Key)
		}
		if err := v.find(p, &n.Children[i], use.within(n, i)); err != nil {
			return err
		}
	}
	return nil
}

// value puts a carrier in the place of a value.
func (v *jsonValues) value(path string, n *jsondoc.Node, use Use) error {
	if use == useConstant {
		return v.fault(path, n, errConstant)
	}
	s, err := v.codec.ValueFromJSON(n.Raw, use)
	if err != nil {
		return v.fault(path, n, err)
	}
	c, err := v.spare(n, s.Class, s.candidates(use == UseListed))
	if err != nil {
		return v.fault(path, n, err)
	}
	v.taken = append(v.taken, c)
	key := termKey{kind: Value, text: s.Text, carrier: c, path: path}
	if s.Class == Ether {
		key.frame = v.frameIn(n.Start)
	}
	e := v.terms.entry(key)
	v.markers = append(v.terms.appendPlaceholderJSON(v.markers, e), ", "...)
	v.edits = append(v.edits, jsonEdit{v.offset + n.Start, v.offset + n.End, []byte(c.json(v.terms.base))})
	return nil
}

// frameIn returns what is matched of the frame in the rule behind an offset.
func (v *jsonValues) frameIn(offset int) (f frame) {
	within(v.list, func(n *jsondoc.Node) bool {
		p := n.Only("payload")
		if p == nil || n.Start <= offset || p.Member("protocol") == nil || p.Member("field") == nil {
			return true
		}
		switch protocol, field := string(p.Member("protocol").Raw), string(p.Member("field").Raw); {
		case protocol == `"ether"` && field == `"type"`:
			f = frameType
		case protocol == `"ether"`, protocol == `"vlan"`:
			f = max(f, someFrame)
		}
		return true
	})
	return f
}

// spare returns one of the carriers that no value of the statement has and that
// the user's own words do not use: those of the rule, or for an Ether, which rules on
// frames often match beside, of the statement.
func (v *jsonValues) spare(n *jsondoc.Node, class Class, candidates []carrier) (carrier, error) {
	if len(candidates) == 0 {
		return carrier{}, errJoined
	}
	among := v.list
	if class == Ether {
		if v.rawType() {
			return carrier{}, errRawType
		}
		for i := range v.list.Children {
			if c := &v.list.Children[i]; c.Start <= n.Start && n.End <= c.End {
				among = c
			}
		}
	}
	for _, c := range candidates {
		if !slices.Contains(v.taken, c) && findCarrier(among, c, v.terms.base) == nil {
			return c, nil
		}
	}
	return carrier{}, errValues
}

// rawType is rawType for a document.
func (v *jsonValues) rawType() (found bool) {
	within(v.list, func(n *jsondoc.Node) bool {
		if p := n.Only("payload"); p != nil && p.Member("base") != nil && string(p.Member("base").Raw) == `"ll"` {
			number := func(name string) uint64 {
				m := p.Member(name)
				if m == nil {
					return 0
				}
				n, err := strconv.ParseUint(string(m.Raw), 10, 32)
				if err != nil {
					found = true // not to be told
				}
				return n
			}
			found = found || onType(number("offset"), number("len"))
		}
		return !found
	})
	return found
}

// findCarrier returns where a carrier stands in n, or nil.
func findCarrier(n *jsondoc.Node, c carrier, base uint32) (found *jsondoc.Node) {
	want, err := jsondoc.Parse([]byte(c.json(base)))
	if err != nil {
		return nil
	}
	within(n, func(n *jsondoc.Node) bool {
		if sameJSON(&want, n) {
			found = n
		}
		return found == nil
	})
	return found
}

// describe returns the message about a fault in the document called name, in
// nft's form but with the object alone: a line may be a whole ruleset.
func (e *jsonFault) describe(name string, src []byte) string {
	where := ""
	if name != "" {
		line := src[bytes.LastIndexByte(src[:e.start], '\n')+1:]
		from := e.start - (len(src) - len(line)) + 1
		to := from + e.end - e.start - 1
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			to = min(to, i)
		}
		where = fmt.Sprintf("%s:%d:%d-%d: ", name, bytes.Count(src[:e.start], []byte("\n"))+1, from, max(to, from))
	}
	return fmt.Sprintf("%sError: %s\n%s\n", where, e.Error(), brief(src[e.start:e.end]))
}

// brief returns an object on one line of bounded length.
func brief(object []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(string(object)), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
