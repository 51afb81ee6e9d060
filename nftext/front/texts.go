// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// texts are what one run of nft reads. Their terms may hold variables that a text
// before them defines, so a text is looked at with all that it includes before
// nft opens any of it. Its methods are called from one goroutine at a time.
type texts struct {
	terms   *terms
	codec   JSONCodec
	finder  Finder
	options options

	// Texts with their placeholders, of the files that nft has yet to open. Nft gets
	// what was read then, not what the file may hold by now.
	ready map[fileID][][]byte

	talks   bool     // nft -i: variables stay from one command to the next
	defined bool     // what -D defines is known to finder
	stray   bool     // nft found a file where it was not looked for: its variables are not known
	torn    bool     // an include of this command could not be read: nft goes on somewhere behind it
	lost    bool     // so that it is not known what was assigned to variables from then on
	varied  bool     // a term had variables
	names   []string // of the texts that are being looked at, each within the one before
}

func newTexts(t *terms, codec Codec, o options) *texts {
	t.opaque = o.optimize
	return &texts{terms: t, codec: codec, finder: codec.Finder(), options: o, ready: map[fileID][][]byte{}}
}

// hide returns src, the text called name that stands by itself, with placeholders
// in place of its terms, and whether there was one. An error about src or what it
// includes is a *diagnosis.
func (x *texts) hide(name string, src []byte) (out []byte, changed bool, err error) {
	if x.plain(src) {
		return src, false, nil
	}
	if x.options.json && isJSON(src) {
		return x.hideJSON(name, src)
	}
	if err := x.define(); err != nil {
		return nil, false, err
	}
	out, changed, err = x.hideNested(name, src)
	if errors.Is(err, errDepth) { // nft says so too
		return src, false, nil
	}
	return out, changed, err
}

// open is hide for a file that nft opens by itself.
func (x *texts) open(id fileID, name string, src []byte) ([]byte, error) {
	x.stray = name != x.options.file
	defer func() { x.stray = false }()
	out, _, err := x.hide(name, src)
	if err == nil {
		x.ready[id] = [][]byte{out}
	}
	return out, err
}

// check returns an error about a file that nft opens by itself if it assigns to
// variables, though terms have been read as if it did not: a pipe that is included,
// or a file that another has come in the place of.
func (x *texts) check(name string, src []byte) error {
	at := assigns(src)
	if at == nil || !x.varied || name == x.options.file {
		return nil
	}
	return &diagnosis{diagnose(name, src, &TextError{Offset: at[0], End: at[1], Err: fmt.Errorf(
		"variables for dict terms from a file that could not be read beforehand: %w, let it be a regular file and not change meanwhile", dict.ErrNotSupported)})}
}

// give makes ready text, of which nothing is to be hidden any more, for the opening
// of f, a file of our own.
func (x *texts) give(f *os.File, text []byte) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	x.ready[fileID{uint64(st.Dev), st.Ino}] = [][]byte{text}
	return nil
}

// plain reports whether neither src nor a text that it includes can hold a term
// or, in a run that goes on reading commands, a variable.
func (x *texts) plain(src []byte) bool {
	return !x.talks && !x.mayHoldTerms(src, 0)
}

// hideNested is hide for a text within another.
func (x *texts) hideNested(name string, src []byte) (out []byte, changed bool, err error) {
	x.names = append(x.names, name)
	defer func() { x.names = x.names[:len(x.names)-1] }()
	if len(x.names) == 1 {
		x.torn = false
	}
	spans, err := x.finder.Find(src, x.include)
	x.lost = x.lost || x.talks && x.torn && assigns(src) != nil
	for _, s := range spans {
		x.varied = x.varied || s.Text != ""
		if x.stray && s.Text != "" && err == nil {
			err = &TextError{Offset: s.Start, End: s.End, Err: fmt.Errorf("variables in a file that is included by this name: %w, write its path from the root", dict.ErrNotSupported)}
		}
		if x.lost && s.Text != "" && err == nil {
			err = &TextError{Offset: s.Start, End: s.End, Err: fmt.Errorf("variables of dict terms, once a command has assigned some beside an include that could not be read: %w, begin a new conversation", dict.ErrNotSupported)}
		}
	}
	if err == nil {
		out, changed, err = x.terms.hide(name, src, spans)
	}
	if errors.Is(err, errDepth) {
		return nil, false, err
	}
	var at *TextError
	if !errors.As(err, &at) {
		return out, changed, err
	}
	said := &diagnosis{}
	if errors.As(err, &said) { // of a text that src includes
		said.text = included(said.text, name, src, at)
	} else {
		said.text = diagnose(name, src, at)
	}
	return nil, false, said
}

// json returns what shows terms in nft's output as JSON, nil without -j.
func (x *texts) json() JSONCodec {
	if x.options.json {
		return x.codec
	}
	return nil
}

// define makes known what the options -D define, once.
func (x *texts) define() error {
	if x.defined {
		return nil
	}
	x.defined = true
	for _, d := range x.options.defines {
		if _, err := x.finder.Find([]byte("redefine "+d+";"), nil); err != nil {
			return fmt.Errorf("-D %s: %w", d, err)
		}
	}
	return nil
}

// mayHoldTerms reports whether src or a text that it includes holds the word dict.
func (x *texts) mayHoldTerms(src []byte, depth int) bool {
	if bytes.Contains(src, []byte("dict")) {
		return true
	}
	if depth >= maxIncludes {
		return false
	}
	for _, pattern := range includesOf(src) {
		for _, path := range x.files(pattern) {
			if f, err := readFile(path); err == nil && x.mayHoldTerms(f.text, depth+1) {
				return true
			}
		}
	}
	return false
}
