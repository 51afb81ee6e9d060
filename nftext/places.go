// SPDX-License-Identifier: MIT

package nftext

import "errors"

// Places tells where the parts of a parsed term stand in its text. It belongs
// to the Term that it was returned with and to no copy of it.
type Places struct {
	at map[any]Place // by the address of the part within the Term
}

// Place is the bytes of a text from Offset up to End.
type Place struct{ Offset, End int }

// ParsePlaces is Parse that also returns the places of the term's parts.
func ParsePlaces(text string) (Term, *Places, int, error) {
	return parsePlaces(text, (*parser).term)
}

// ParseValuePlaces is ParseValue that also returns the places of the value's
// parts. The Term is a *Value.
func ParseValuePlaces(text string) (Term, *Places, int, error) {
	return parsePlaces(text, (*parser).value)
}

func parsePlaces(text string, read func(*parser) (Term, error)) (Term, *Places, int, error) {
	p := &Places{at: map[any]Place{}}
	t, n, err := newParser(text, p).parse(read)
	if err != nil {
		return nil, nil, 0, err
	}
	return t, p, n, nil
}

// Of returns the place of the part that an error of Bind is about, false if it
// is about the whole term.
func (p *Places) Of(err error) (Place, bool) {
	e, ok := errors.AsType[*partError](err)
	if !ok {
		return Place{}, false
	}
	place, ok := p.at[e.part]
	return place, ok
}

// note keeps the place of a part. A nil Places keeps none.
func (p *Places) note(part any, offset, end int) {
	if p != nil {
		p.at[part] = Place{offset, end}
	}
}

// move gives the place of one part to another, its copy.
func (p *Places) move(from, to any) {
	if p != nil {
		p.at[to] = p.at[from]
		delete(p.at, from)
	}
}

// partError is an error about one part of a term, which it knows by its
// address. Its text is that of the error.
type partError struct {
	part any
	err  error
}

func (e *partError) Error() string { return e.err.Error() }
func (e *partError) Unwrap() error { return e.err }

// about returns err as one about a part, unless it is already about one. A nil
// err stays nil.
func about(part any, err error) error {
	if _, ok := errors.AsType[*partError](err); ok || err == nil {
		return err
	}
	return &partError{part, err}
}
