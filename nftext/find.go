// SPDX-License-Identifier: MIT

package nftext

// Span is a dict term within a text: src[Start:End].
type Span struct {
	Start, End int
	Term       Term
	Variables  bool // the term holds values of variables: its text is not src[Start:End]

	// Statement is a place before a *Value, in its rule, where a match may stand,
	// and Use what nft does with the value.
	Statement int
	Use       Use
}

// Finder finds the dict terms in the texts of one run of nft, in the order in
// which nft reads them. It knows the variables that texts before have defined.
// The zero Finder has read nothing.
type Finder struct {
	vars  *scope // where the text stands that is read next
	level func(*walker)
	depth int // of chain blocks
}

// Find returns the dict terms of nft text, a file or a command line, in order.
// It follows commands and blocks as far as it takes to know where a rule's
// statements are, and takes the word dict for a term only where a match or
// statement may begin, or where a statement takes an expression and a table and
// key follow. Everywhere else it is nft's: the name of a table, chain or set, an
// interface, a service (tcp dport dict), text in quotes and in comments. Text
// that is not well-formed is left to nft, which will say so.
//
// include, if not nil, is called where src includes a file, or the files that a
// pattern names, and calls Find for the text of each: it is read as if it stood
// in src. Every error is a *SyntaxError with its place in src; one of include
// has that of the statement, and is its Err.
func (f *Finder) Find(src string, include func(pattern string) error) ([]Span, error) {
	if f.vars == nil {
		f.vars = &scope{}
	}
	level := f.level
	if level == nil {
		level = (*walker).commands
	}
	w := &walker{lexer: lexer{src: src}, finder: f, include: include}
	level(w)
	return w.spans, w.err
}

// Find returns the dict terms of a text that stands alone.
func Find(src string) ([]Span, error) { return new(Finder).Find(src, nil) }

// walker walks over nft text. Its methods stop at the first error.
type walker struct {
	lexer
	finder  *Finder
	include func(string) error
	spans   []Span
	err     error
}

// maxBlocks bounds how deep chains may stand in rules of chains.
const maxBlocks = 16

// commands walks over commands up to the end of the text.
func (f *walker) commands() {
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
}

// command walks over one command.
func (f *walker) command() {
	start := f.pos
	switch word := f.next().text; word {
	case "add", "insert", "replace", "create":
		switch f.peek().text {
		case "table", "chain", "rule":
			f.object(f.next().text)
		case "set", "map", "flowtable", "counter", "quota", "ct", "limit", "secmark", "synproxy":
			f.settings()
		case "element", "meter":
			f.skip()
		default:
			f.rule()
		}
	case "table", "chain", "rule":
		f.object(word)
	case "include", "define", "redefine", "undefine":
		f.common(word, (*walker).commands)
	case "set", "map", "flowtable", "counter", "quota", "ct", "limit", "secmark", "synproxy":
		f.settings()
	case "list", "delete", "destroy", "flush", "reset", "rename", "monitor", "describe", "export", "import", "element", "meter":
		f.skip()
	default: // add rule may be left out
		f.pos = start
		f.rule()
	}
}

// object walks over a table, chain or rule behind that word.
func (f *walker) object(word string) {
	switch word {
	case "table":
		if f.open() {
			f.block((*walker).table)
		}
	case "chain":
		if f.open() {
			f.chainBlock()
		}
	case "rule":
		f.rule()
	}
}

// open takes names up to an opening brace and the brace, and reports whether
// there was one.
func (f *walker) open() bool {
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
func (f *walker) skip() {
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

// lines calls line for every line of a block, whose opening brace is taken,
// and takes the closing brace.
func (f *walker) lines(line func(first token)) {
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

// block walks over a block whose opening brace is taken. Its variables are its
// own.
func (f *walker) block(level func(*walker)) {
	f.finder.vars = &scope{up: f.finder.vars}
	level(f)
	f.finder.vars = f.finder.vars.up
}

// table walks over the lines of a table.
func (f *walker) table() {
	f.lines(func(first token) {
		switch first.text {
		case "chain":
			f.object(f.next().text)
		case "include", "define", "redefine", "undefine":
			f.common(f.next().text, (*walker).table)
		case "set", "map", "flowtable", "counter", "quota", "ct", "limit", "secmark", "synproxy":
			f.settings()
		default:
			f.skip()
		}
	})
}

// settings walks over what describes a set or another object that holds no rules,
// with its block if it has one: the variables of that are those of the block around.
func (f *walker) settings() {
	if f.open() {
		f.setting()
	}
	f.skip()
}

// setting walks over the lines of the block of such an object.
func (f *walker) setting() {
	f.lines(func(first token) {
		switch first.text {
		case "include", "define", "redefine", "undefine":
			f.common(f.next().text, (*walker).setting)
		default:
			f.skip()
		}
	})
}

// chain walks over the lines of a chain.
func (f *walker) chain() {
	f.lines(func(first token) {
		switch first.text {
		case "include", "define", "redefine", "undefine":
			f.common(f.next().text, (*walker).chain)
		case "type", "policy", "comment", "device", "devices":
			f.skip()
		default:
			f.statements()
		}
	})
}

// chainBlock walks over the block of a chain, unless it stands too deep.
func (f *walker) chainBlock() {
	if f.finder.depth++; f.finder.depth > maxBlocks {
		f.pos = len(f.src)
	}
	f.block((*walker).chain)
	f.finder.depth--
}

// rule walks over `[FAMILY] TABLE CHAIN [handle|position|index N] STATEMENTS`.
func (f *walker) rule() {
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
