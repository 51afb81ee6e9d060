// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
)

// compiler makes expressions of terms. It holds nothing.
type compiler struct{ store *Store }

var (
	_ nftext.Compiler = (*compiler)(nil)
	_ nftext.Attacher = (*compiler)(nil)
)

// Compiler returns the compiler of rules that consult this store's tables. All
// terms are done. What nft reads from the packet for a term, which is
// everything but the connection, ends the rule where the packet has it not, as
// with every expression of nft, also where the term is a statement; an address
// of the other family does not.
func (s *Store) Compiler() nftext.Compiler { return &compiler{s} }

// Compile implements nftext.Compiler. In an open table a rule's field comes to
// be with it.
func (c *compiler) Compile(t nftext.Target, b nftext.Bound) (*nftext.Code, error) {
	a := newAssembler(t.Family)
	var err error
	switch b := b.(type) {
	case *nftext.Condition:
		if err = c.ready(&b.Ref); err == nil {
			err = a.match(b)
		}
	case *nftext.Write:
		if err = errors.Join(c.ready(&b.Ref), c.ready(b.Nested)); err == nil {
			err = a.write(b, c.old(b.Table.Name))
		}
	case *nftext.Drop:
		if err = c.ready(b.Key.Nested); err == nil {
			err = a.drop(b)
		}
	case *nftext.Load:
		if err = c.ready(&b.Ref); err == nil {
			err = a.value(b, t.Class, t.Register)
		}
	default:
		err = dict.ErrNotSupported
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Term(), err)
	}
	return a.code(b.Term().String())
}

// old reports whether the module that has a table is older than 1.2.
func (c *compiler) old(name string) bool {
	t, _, err := c.store.known(name)
	return err == nil && t.old
}

// ready sees to it that the fields of a lookup are there that an open table
// may not have yet.
func (c *compiler) ready(r *nftext.Ref) error {
	for ; r != nil; r = r.Key.Nested {
		if !r.Table.Open || r.Table.Index(r.Field) >= 0 {
			continue
		}
		// Somebody else may have been faster.
		err := c.store.AddFields(r.Table.Name, dict.Field{Name: r.Field})
		if err != nil && !errors.Is(err, dict.ErrExist) {
			return err
		}
	}
	return nil
}

// Attach implements nftext.Attacher.
func (c *compiler) Attach(t nftext.Target, table dict.Table) (*nftext.Code, error) {
	if !table.Bound {
		return nil, fmt.Errorf("attach to table %s: %w: its rows are not bound to connections", table.Name, dict.ErrInvalid)
	}
	a := newAssembler(t.Family)
	if err := a.attach(table.Name); err != nil {
		return nil, fmt.Errorf("attach to table %s: %w", table.Name, err)
	}
	return a.code("")
}
