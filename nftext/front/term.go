// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"nftdict/dict"
)

// terms is the table of the dict terms of one run and of the placeholders that
// stand for them. Each distinct spelling has one placeholder, so the table grows
// with the terms there are and not with how often they are seen. Safe for
// concurrent use.
type terms struct {
	mark []byte // what every token of this run starts with
	base uint32 // number of the first carrier for integers

	opaque bool // nft -o: it must not merge rules by what stands for a term

	mu    sync.Mutex
	list  []*term
	byKey map[termKey]*term
	lines map[place]sourceLine

	overlooked error // nil if nft shows every rule
}

// term is one entry. The table's lock protects all that may change.
type term struct {
	termKey
	token   string
	failure error // why it did not compile
	told    bool  // failure was put into a message
}

type termKey struct {
	kind Kind
	text string // with its variables replaced; as the user or the codec spelled it

	// spelled is the text as it stands in the source, "" where that is text itself.
	spelled string
	carrier carrier // of a Value
	frame   frame   // behind an Ether

	// path is where the term stands in a JSON document, "" in other texts.
	path string
}

// shown returns the term as the user spelled it.
func (k *termKey) shown() string {
	if k.spelled != "" {
		return k.spelled
	}
	return k.text
}

// A token is a name of 11 characters: it fits an interface name, and digits of a
// random number keep it apart from every name the user may have chosen.
const (
	tokenDigits = 5
	tokenMark   = 1 + tokenDigits
	tokenLen    = tokenMark + tokenDigits
)

const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"

func newTerms() *terms {
	var random [tokenDigits + 4]byte
	_, _ = rand.Read(random[:]) // never fails
	mark := []byte{'d'}
	for _, b := range random[:tokenDigits] {
		mark = append(mark, base36[int(b)%len(base36)])
	}
	number := binary.NativeEndian.Uint32(random[tokenDigits:])
	return &terms{
		mark:  mark,
		base:  1<<30 | number&0x3fffff00,
		byKey: map[termKey]*term{},
		lines: map[place]sourceLine{},
	}
}

// intern returns the entry of a match or statement, which it adds when new.
func (t *terms) intern(kind Kind, text string) *term {
	return t.entry(termKey{kind: kind, text: text})
}

// entry returns the entry of a term, which it adds when new.
func (t *terms) entry(key termKey) *term {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byKey[key]; e != nil {
		return e
	}
	token := append(make([]byte, 0, tokenLen), t.mark...)
	var digits [tokenDigits]byte
	for i, n := tokenDigits-1, len(t.list); i >= 0; i, n = i-1, n/len(base36) {
		digits[i] = base36[n%len(base36)]
	}
	key.text, key.spelled = strings.Clone(key.text), strings.Clone(key.spelled)
	e := &term{termKey: key, token: string(append(token, digits[:]...))}
	t.list = append(t.list, e)
	t.byKey[key] = e
	return e
}

// at returns the entry whose token begins b, or nil.
func (t *terms) at(b []byte) *term {
	if len(b) < tokenLen || !bytes.HasPrefix(b, t.mark) {
		return nil
	}
	n := 0
	for _, c := range b[tokenMark:tokenLen] {
		d := strings.IndexByte(base36, c)
		if d < 0 {
			return nil
		}
		n = n*len(base36) + d
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n >= len(t.list) {
		return nil
	}
	return t.list[n]
}

// find returns the first entry whose token is in b and where it stands, or nil.
func (t *terms) find(b []byte) (*term, int) {
	for from := 0; ; {
		i := bytes.Index(b[from:], t.mark)
		if i < 0 {
			return nil, -1
		}
		from += i
		if e := t.at(b[from:]); e != nil {
			return e, from
		}
		from++
	}
}

// fail records why a term did not compile; the first reason stays.
func (t *terms) fail(e *term, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.failure == nil {
		e.failure = err
	}
}

// failed returns why a term did not compile, nil if it did.
func (t *terms) failed(e *term) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return e.failure
}

// tell notes that a message shows the failure of a term.
func (t *terms) tell(e *term) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.told = true
}

// untold returns the terms whose failure no message has shown, in order.
func (t *terms) untold() []*term {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*term
	for _, e := range t.list {
		if e.failure != nil && !e.told {
			out = append(out, e)
		}
	}
	return out
}

// forget makes way for another command of a conversation, in which a term may
// compile that has failed before.
func (t *terms) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.list {
		e.failure, e.told = nil, false
	}
}

// overlook notes a rule with an expression that is a term, but of which the text is
// not known: nft leaves the rule out of what it shows. The first one is kept.
func (t *terms) overlook(r rule) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.overlooked == nil {
		t.overlooked = fmt.Errorf("a rule of table %q, chain %q, is not shown: it has a dict term that cannot be read here, written by another version or for another backend: %w",
			r.target.Table, r.target.Chain, dict.ErrNotSupported)
	}
}

// complete returns an error if a rule has been left out.
func (t *terms) complete() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.overlooked
}
