// SPDX-License-Identifier: MIT

package nftext

import (
	"errors"

	"nftdict/dict"
)

// Span is a dict term within a text: src[Start:End].
type Span struct {
	Start, End int
	Term       Term

	// Statement is where the match or statement begins that a *Value stands in,
	// and Use what that does with it.
	Statement int
	Use       Use
}

// Find returns the dict terms of nft text, a file or a command line, in order.
// It follows commands and blocks as far as it takes to know where a rule's
// statements are, and takes the word dict for a term only where a match or
// statement may begin. Everywhere else it is nft's: the name of a table, chain
// or set, an interface, a service (tcp dport dict), text in quotes and in
// comments. Text that is not well-formed is left to nft, which will say so.
//
// The error is a *SyntaxError with its place in src.
func Find(src string) ([]Span, error) {
	f := &finder{lexer: lexer{src: src}}
	for f.err == nil {
		t := f.peek()
		if t.kind == tokenEnd {
			break
		}
		if t.kind != tokenWord {
			f.next()
			continue
		}
		f.command()
	}
	return f.spans, f.err
}

// finder walks over nft text. Its methods stop at the first error.
type finder struct {
	lexer
	spans []Span
	err   error
	depth int // of chain blocks
}

// maxBlocks bounds how deep chains may stand in rules of chains.
const maxBlocks = 16

// command walks over one command.
func (f *finder) command() {
	start := f.pos
	switch word := f.next().text; word {
	case "add", "insert", "replace", "create":
		switch f.peek().text {
		case "table", "chain", "rule":
			f.object(f.next().text)
		case "set", "map", "element", "flowtable", "counter", "quota", "ct", "limit", "secmark", "synproxy", "meter":
			f.skip()
		default:
			f.rule()
		}
	case "table", "chain", "rule":
		f.object(word)
	case "list", "delete", "destroy", "flush", "reset", "rename", "monitor", "describe", "export", "import",
		"include", "define", "redefine", "undefine",
		"set", "map", "element", "flowtable", "counter", "quota", "ct", "limit", "secmark", "synproxy", "meter":
		f.skip()
	default: // add rule may be left out
		f.pos = start
		f.rule()
	}
}

// object walks over a table, chain or rule behind that word.
func (f *finder) object(word string) {
	switch word {
	case "table":
		if f.open() {
			f.table()
		}
	case "chain":
		if f.open() {
			f.chain()
		}
	case "rule":
		f.rule()
	}
}

// open takes names up to an opening brace and the brace, and reports whether
// there was one.
func (f *finder) open() bool {
	for {
		switch t := f.peek(); t.kind {
		case tokenOpen:
			f.next()
			return true
		case tokenWord, tokenString:
			f.next()
		default:
			return false
		}
	}
}

// skip walks over the rest of a command or a line of a block, braces in pairs.
func (f *finder) skip() {
	for depth := 0; ; {
		t := f.peek()
		switch {
		case t.kind == tokenEnd, depth == 0 && (t.kind == tokenSeparator || t.kind == tokenClose):
			return
		case t.kind == tokenOpen:
			depth++
		case t.kind == tokenClose:
			depth--
		}
		f.next()
	}
}

// block calls line for every line of a block, whose opening brace is taken,
// and takes the closing brace.
func (f *finder) block(line func(first token)) {
	for f.err == nil {
		switch t := f.peek(); t.kind {
		case tokenEnd:
			return
		case tokenClose:
			f.next()
			return
		case tokenSeparator:
			f.next()
		default:
			before := f.pos
			if line(t); f.pos == before {
				f.next()
			}
		}
	}
}

// table walks over the block of a table.
func (f *finder) table() {
	f.block(func(first token) {
		if first.is("chain") {
			f.object(f.next().text)
		} else {
			f.skip()
		}
	})
}

// chain walks over the block of a chain.
func (f *finder) chain() {
	if f.depth++; f.depth > maxBlocks {
		f.pos = len(f.src)
	}
	f.block(func(first token) {
		switch first.text {
		case "type", "policy", "comment", "device", "devices", "include", "define", "redefine", "undefine":
			f.skip()
		default:
			f.statements()
		}
	})
	f.depth--
}

// rule walks over `[FAMILY] TABLE CHAIN [handle|position|index N] STATEMENTS`.
func (f *finder) rule() {
	switch f.peek().text {
	case "ip", "ip6", "inet", "arp", "bridge", "netdev":
		f.next()
	}
	for range 2 { // table and chain
		if k := f.peek().kind; k != tokenWord && k != tokenString {
			f.skip()
			return
		}
		f.next()
	}
	for {
		switch f.peek().text {
		case "handle", "position", "index":
			f.next()
			f.next()
			continue
		}
		break
	}
	f.statements()
}

// statements walks over the statements of a rule and finds its terms.
func (f *finder) statements() {
	var before preceding
	for depth := 0; f.err == nil; {
		t := f.peek()
		switch {
		case t.kind == tokenEnd, depth == 0 && (t.kind == tokenSeparator || t.kind == tokenClose):
			return
		case depth == 0 && t.is("dict") && before.complete():
			f.term(t.start)
			before = preceding{}
			continue
		case t.is("dict"):
			f.operand(t.start)
		}
		f.take(t)
		switch t.kind {
		case tokenOpen:
			if before.is("jump") || before.is("goto") {
				f.chain()
				t = token{kind: tokenClose}
			} else {
				depth++
			}
		case tokenClose:
			depth--
		}
		before.push(t)
	}
}

// term takes the dict term at start.
func (f *finder) term(start int) {
	t, n, err := Parse(f.src[start:])
	if err != nil {
		if e, ok := errors.AsType[*SyntaxError](err); ok {
			err = newSyntaxError(f.src, start+e.Offset, e.Err, e.Text)
		}
		f.err = err
		return
	}
	f.spans = append(f.spans, Span{Start: start, End: start + n, Term: t})
	f.pos = start + n
}

// operand refuses a lookup where nft waits for a value (meta mark set dict
// ...): nft itself would not say why. A word dict that nft may take for a value
// of its own, before another statement, stays nft's.
func (f *finder) operand(start int) {
	p := parser{scanner: scanner{src: f.src[start:min(len(f.src), start+maxSource)]}}
	p.take("dict")
	l, err := p.lookup(1)
	if err != nil || l.Table == "" || isStatement(l.Table) {
		return
	}
	f.err = newSyntaxError(f.src, start, dict.ErrNotSupported,
		"value of dict "+l.Table+" for nft to work with: not supported, a dictionary's value cannot be put into a register; compare it in the term, or set a field by it")
}
