// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"

	"nftdict/dict"
)

// assign binds an Assign.
func (b binder) assign(a *Assign) (*Write, error) {
	ref, asked, err := b.lookup(&a.Lookup)
	if err != nil {
		return nil, err
	}
	w := &Write{Ref: *ref, Verb: a.Verb, Source: a.Source, term: a}
	switch {
	case a.Source != 0:
		err = about(&a.Source, w.fromSelector(asked))
	case a.Nested != nil:
		err = b.fromNested(w, asked)
	default:
		err = about(&a.Value, w.fromConst(asked))
	}
	if err == nil && w.Verb != VerbSet && w.Type != dict.Int && w.Type != dict.Int64 {
		err = fmt.Errorf("%s: %w: %s is no number, use set", w.Verb, dict.ErrType, w.Type)
	}
	if err != nil {
		return nil, fieldError(&w.Table, &a.Lookup, err)
	}
	w.restrictDefault()
	return w, nil
}

// fromConst takes the value that is written in the term.
func (w *Write) fromConst(asked dict.Type) error {
	o := &w.term.Value
	asked, err := operandType(&w.Ref, asked, o)
	if err != nil {
		return err
	}
	w.Type = w.stored(asked)
	item, err := newItem(*o, asked, w.Type)
	switch {
	case err != nil:
		return err
	case item.Glob != nil:
		return fmt.Errorf("value %s: %w: a pattern cannot be stored, write \\ before * ? and [", o, dict.ErrInvalid)
	case !o.Quoted && asked != dict.String && readLiteral(o.Text).form != formSingle:
		return fmt.Errorf("value %s: %w: more than one value cannot be stored", o, dict.ErrInvalid)
	}
	w.Const = item.Lo
	return nil
}

// fromSelector takes the value that a selector reads from the packet.
func (w *Write) fromSelector(asked dict.Type) error {
	yields := w.Source.Value()
	switch {
	case asked == 0 && yields == dict.Int64:
		return fmt.Errorf("value %s: %w: table %s is open, write int or int64 before %s", w.Source, dict.ErrType, w.Table.Name, w.Verb)
	case asked == 0 || asked == dict.Address && asked.Accepts(yields):
		w.Type = yields
	case w.stored(asked) == dict.Int && yields == dict.Int64:
		if w.Verb == VerbSet && !w.Source.small() {
			return fmt.Errorf("value %s: %w: it has 32 bits without a sign, which int does not hold, use a field of type int64", w.Source, dict.ErrType)
		}
		w.Type = dict.Int
	case w.stored(asked) != yields:
		return fmt.Errorf("value %s: %w: it yields %s, want %s%s", w.Source, dict.ErrType, yields, asked, quoteRemedy(asked))
	default:
		w.Type = yields
	}
	return nil
}

// quoteRemedy tells how to write a string that reads like a selector.
func quoteRemedy(t dict.Type) string {
	if t != dict.String {
		return ""
	}
	return ", or put it in double quotes if it is the value"
}

// small reports whether the numbers that a selector yields fit an int.
func (s Selector) small() bool {
	return s == MetaIif || s == MetaOif || s == MetaLength
}

// fromNested takes the value of another field.
func (b binder) fromNested(w *Write, asked dict.Type) error {
	l := w.term.Nested
	ref, declared, err := b.lookup(l)
	if err != nil {
		return err
	}
	if declared == 0 {
		declared = asked // an open table holds what is asked of it
	}
	if asked == 0 {
		asked = declared
	}
	if asked == 0 {
		return about(&l.Field, fmt.Errorf("value dict %s: %w: both tables are open, write the type behind the field", l, dict.ErrType))
	}
	field := w.stored(asked)
	switch {
	case field == declared, field.Accepts(declared):
		ref.Type = declared
	case declared == dict.Address && declared.Accepts(field):
		ref.Type = field // only addresses of that family are taken
	case field == dict.Int && declared == dict.Int64 && w.Verb != VerbSet:
		ref.Type = declared
	default:
		return about(&l.Field, fmt.Errorf("value dict %s: %w: it yields %s, want %s", l, dict.ErrType, declared, field))
	}
	if w.Type = field; field == dict.Address {
		w.Type = ref.Type
	}
	ref.restrictDefault()
	w.Nested = ref
	return nil
}
