// SPDX-License-Identifier: MIT

package nftext

import (
	"errors"
	"strings"

	"nftdict/dict"
)

// statements walks over the statements of a rule and finds its terms.
func (f *walker) statements() {
	var (
		before preceding
		start  = f.peek().start // where a match may be put in front of the statement
		braces []bool           // for each that is open: whether it holds what a rule adds to a set
	)
	for f.err == nil {
		t := f.peek()
		top := len(braces) == 0
		switch {
		case t.kind == tokenEnd, top && (t.kind == tokenSeparator || t.kind == tokenClose):
			return
		case top && before.complete() && t.is("dict"):
			f.term(t.start)
			if f.err != nil {
				return
			}
			if start = t.start; f.spans[len(f.spans)-1].Term.Kind() != KindValue {
				start = f.peek().start
			}
			before = preceding{}
			continue
		case top && before.complete() && begin(t.text):
			start = t.start
		case !top && before.complete(): // not well-formed: left to nft
		case t.is("dict") || t.is(":dict"):
			use := before.use(t.is(":dict"), top)
			if !top && !braces[len(braces)-1] {
				use = useNone
			}
			if f.operand(t.start+len(t.text)-len("dict"), start, use) {
				before = preceding{}
				continue
			}
		}
		f.take(t)
		switch t.kind {
		case tokenOpen:
			if before.is("jump") || before.is("goto") {
				f.chainBlock()
				t = token{kind: tokenClose}
				start = f.peek().start
			} else {
				braces = append(braces, before.adds())
			}
		case tokenClose:
			if len(braces) > 0 {
				braces = braces[:len(braces)-1]
			}
		}
		before.push(t)
	}
}

// begin reports whether a statement begins with word, and nothing else does
// behind one that is complete.
func begin(word string) bool {
	switch word {
	case "dnat", "snat", "masquerade", "redirect", "tproxy", "dup", "fwd", "queue", "update", "meter",
		"counter", "log", "limit", "quota", "notrack", "synproxy", "flow":
		return true
	}
	return false
}

// term takes the dict term at start, where a match may begin.
func (f *walker) term(start int) {
	p := newParser(f.src[start:], nil)
	p.vars = f.finder.vars
	t, n, err := p.parse((*parser).term)
	if err != nil {
		f.fail(start, err)
		return
	}
	f.spans = append(f.spans, Span{Start: start, End: start + n, Term: t, Variables: p.varied, Statement: start})
	f.pos = start + n
	after := f.peek()
	if t.Kind() == KindValue && computes(after) {
		f.spans[len(f.spans)-1].Use = UseBits
	}
	if t.Kind() != KindValue && goesOn(after) {
		f.err = newSyntaxError(f.src, after.start, dict.ErrInvalid, "expected the next match or statement behind a dict term, found "+
			dict.Quote(after.text)+": a value that is more than a word stands in double quotes")
	}
}

// goesOn reports whether a token behind a match or statement would make it part of
// a longer expression. To nft the term is a constant, which it would compute with:
// what it then compares with is no term any more.
func goesOn(t token) bool {
	switch t.kind {
	case tokenSymbol:
		return true
	case tokenWord:
		switch t.text {
		case "and", "or", "xor", "lshift", "rshift":
			return true
		}
		return strings.IndexByte("./-", t.text[0]) >= 0
	}
	return false
}

// computes reports whether a token behind a value computes with it.
func computes(t token) bool {
	switch t.text {
	case "and", "or", "xor", "lshift", "rshift", "&", "|", "^", "<", ">":
		return true
	}
	return false
}

// fail ends the walk with an error about the text from start on.
func (f *walker) fail(start int, err error) {
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		err = newSyntaxError(f.src, start+e.Offset, e.Err, e.Text)
	}
	f.err = err
}

// useNone is where nft takes nothing but a constant.
const useNone Use = 255

// operand takes the lookup at start, where nft waits for a value, and reports
// whether there is one. It refuses one that nft would not take. A word dict that
// nft may take for a value of its own, before another statement, stays nft's.
func (f *walker) operand(start, statement int, use Use) bool {
	p := newParser(f.src[start:], nil)
	t, n, err := p.parse((*parser).value)
	if err != nil {
		if meant(f.src[start:]) {
			f.fail(start, err)
		}
		return false
	}
	v := t.(*Value)
	switch {
	case v.Table == "" || isStatement(v.Table):
		return false
	case use == useNone:
		f.err = newSyntaxError(f.src, start, dict.ErrNotSupported, "value of dict "+v.Table+
			" here: not supported, nft takes a constant; compare in a dict term, or write a value to: "+
			"meta mark, ct mark, meta priority, an address, a port, a NAT, tproxy, dup or fwd address, an element of a set")
		return false
	}
	part := use == UseKey
	switch {
	case computes((&lexer{f.src, start + n}).peek()):
		use = UseBits
	case use != UseMatch && p.operates() && !p.at('@'):
		use = UseKey
	}
	if use == UseKey && listed(lexer{f.src, start + n}, part) {
		use = UseListed
	}
	f.spans = append(f.spans, Span{Start: start, End: start + n, Term: v, Statement: statement, Use: use})
	f.pos = start + n
	return true
}

// listed reports whether the expression that goes on at the lexer's position
// is the key of a map in braces, and a concatenation: part tells whether it is
// already.
func listed(l lexer, part bool) bool {
	for last := (token{}); ; {
		t := l.next()
		switch {
		case last.is("map"):
			return part && (t.kind == tokenOpen || strings.HasPrefix(t.text, "$"))
		case t.is("."):
			part = true
		case t.kind != tokenWord, t.is("vmap"), strings.HasPrefix(t.text, "@"):
			return false
		}
		last = t
	}
}

// meant reports whether text is meant for a lookup: the word dict, a table and
// a key. A key alone is what nft may have behind a name: iifname dict meta mark 5.
func meant(text string) bool {
	p := newParser(text, nil)
	p.take("dict")
	if p.selector() != 0 {
		return false
	}
	table, err := p.name("a table")
	return err == nil && !isStatement(table) && (p.word() == "dict" || p.selector() != 0)
}

// use returns what nft does with a value behind these tokens. port tells
// whether a colon stands directly before it, top whether it is in no braces.
func (p *preceding) use(port, top bool) Use {
	last := p[0]
	switch {
	case last.is("."), last.text == "(":
		return UseKey
	case last.kind == tokenOpen, last.is(":") && !top:
		return UseElement
	case port, last.is(":"):
		return UsePort
	case last.is("to") && !p[1].is("queue"):
		return UseAddress
	case last.is("add") || last.is("update"): // set add EXPRESSION @s
		if p[1].is("set") || p[1].is("map") {
			return UseElement
		}
	case last.is("set"):
		return p.assigns()
	}
	return useNone
}

// assigns returns what nft does with a value behind these tokens, the last of
// which is set. Of numbers it writes those bytes that the register begins with,
// whatever their width: so here are only those of which the width is known.
func (p *preceding) assigns() Use {
	switch p[1].text {
	case "mark", "priority":
		return UseNumber
	case "saddr", "daddr":
		if p[2].is("ether") {
			return UseLink
		}
		return UseAddress
	case "ether":
		if p[2].is("saddr") || p[2].is("daddr") { // of arp
			return UseLink
		}
	case "sport", "dport", "window", "urgptr":
		return UsePort
	case "id":
		if p[2].is("ip") {
			return UsePort
		}
	case "size": // tcp option maxseg size
		if p[2].is("maxseg") {
			return UsePort
		}
	}
	return useNone
}

// adds reports whether a brace behind these tokens holds what a rule adds to a
// set: add @s {, update @s {, meter m {.
func (p *preceding) adds() bool {
	if strings.HasPrefix(p[0].text, "@") {
		switch p[1].text {
		case "add", "update", "delete":
			return true
		}
	}
	return p[1].is("meter") || p[1].is("size") && p[3].is("meter")
}
