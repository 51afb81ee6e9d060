// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// exprName is the expression's name in nf_tables.
const exprName = "dict"

// assembler puts a term's expressions together: those that load what it needs,
// and ours.
type assembler struct {
	family byte
	before []step
	b      *builder // attributes of ours, numbers in network order
	behind []step
}

func newAssembler(family byte) *assembler {
	return &assembler{family: family, b: &builder{order: binary.BigEndian}}
}

// match assembles a condition.
func (a *assembler) match(c *nftext.Condition) error {
	a.b.uint32(exprOp, opMatch)
	if err := a.lookup(exprLookup, &c.Ref, registerKey); err != nil {
		return err
	}
	a.b.uint32(exprCmp, uint32(c.Op)-uint32(nftext.Eq)+cmpEq)
	if len(c.Items) == 0 {
		return nil
	}
	list := a.b.nest(exprItems)
	for i := range c.Items {
		at := a.b.nest(unix.NFTA_LIST_ELEM)
		a.item(&c.Items[i])
		a.b.end(at)
	}
	a.b.end(list)
	return nil
}

// item appends one of the values that a condition names.
func (a *assembler) item(i *nftext.Item) {
	if i.Glob != nil {
		tokens, classes := encodeGlob(i.Glob)
		a.b.bytes(itemTokens, tokens)
		if len(classes) > 0 {
			a.b.bytes(itemClasses, classes)
		}
		return
	}
	a.constant(itemLo, i.Lo)
	if i.Hi != i.Lo {
		a.constant(itemHi, i.Hi)
	}
}

// write assembles what stores a value. A module that is not old reads the length
// of the packet itself where that is counted, for less than nft does.
func (a *assembler) write(w *nftext.Write, old bool) error {
	a.b.uint32(exprOp, uint32(w.Verb)-uint32(nftext.VerbSet)+opSet)
	if err := a.lookup(exprLookup, &w.Ref, registerKey); err != nil {
		return err
	}
	switch {
	case w.Nested != nil:
		return a.lookup(exprSource, w.Nested, registerValue)
	case w.Source == nftext.MetaLength && w.Verb != nftext.VerbSet && !old:
		a.b.uint32(exprPacket, packetLength)
		return nil
	case w.Source != 0:
		size, err := a.load(w.Source, registerValue)
		a.b.uint32(exprSReg, registerValue)
		a.b.uint32(exprLen, uint32(size))
		return err
	}
	a.constant(exprValue, w.Const)
	return nil
}

// drop assembles what deletes a row.
func (a *assembler) drop(d *nftext.Drop) error {
	a.b.uint32(exprOp, opFlush)
	at := a.b.nest(exprLookup)
	err := a.row(d.Table.Name, &d.Key, registerKey)
	a.b.end(at)
	return err
}

// attach assembles what makes the packet's connection known to a table.
func (a *assembler) attach(table string) error {
	a.b.uint32(exprOp, opAttach)
	at := a.b.nest(exprLookup)
	err := a.row(table, &nftext.KeyRef{Selector: nftext.CtID}, registerKey)
	a.b.end(at)
	return err
}

// constant appends a nest that holds a value.
func (a *assembler) constant(typ uint16, v dict.Value) {
	at := a.b.nest(typ)
	a.b.value(v)
	a.b.end(at)
}

// lookup appends a lookup of a field; what its key needs goes through the
// register.
func (a *assembler) lookup(typ uint16, r *nftext.Ref, register uint32) error {
	at := a.b.nest(typ)
	err := a.row(r.Table.Name, &r.Key, register)
	a.b.text(lookupField, r.Field)
	if r.Type != 0 {
		a.b.uint32(lookupType, uint32(r.Type))
	}
	a.b.end(at)
	return err
}

// row appends what a row is found by.
func (a *assembler) row(table string, k *nftext.KeyRef, register uint32) error {
	a.b.text(lookupTable, table)
	switch {
	case k.Nested != nil:
		return a.lookup(lookupNested, k.Nested, register)
	case k.Selector == nftext.CtID:
		a.b.flag(lookupCt)
		return checkFamily(a.family, k.Selector)
	}
	size, err := a.load(k.Selector, register)
	a.b.uint32(lookupSReg, register)
	a.b.uint32(lookupLen, uint32(size))
	return err
}

// load adds what reads a selector into a register, and returns its size in
// bytes.
func (a *assembler) load(s nftext.Selector, register uint32) (int, error) {
	steps, size := loads(a.family, s, register)
	a.before = append(a.before, steps...)
	return size, checkFamily(a.family, s)
}

// code returns the expressions, ours with the text that tells what it is.
func (a *assembler) code(text string) (*nftext.Code, error) {
	if text != "" {
		a.b.text(exprText, text)
	}
	out := newBuilder()
	if err := a.steps(out, a.before); err != nil {
		return nil, err
	}
	elem := out.nest(unix.NFTA_LIST_ELEM)
	out.text(unix.NFTA_EXPR_NAME, exprName)
	out.bytes(unix.NFTA_EXPR_DATA|unix.NLA_F_NESTED, a.b.buf)
	out.end(elem)
	if err := a.steps(out, a.behind); err != nil {
		return nil, err
	}
	return &nftext.Code{Exprs: out.buf, Release: func() error { return nil }}, nil
}

// steps appends expressions of nft.
func (a *assembler) steps(out *builder, list []step) error {
	for _, s := range list {
		e, err := expr.Marshal(a.family, s.expr)
		if err != nil {
			return err
		}
		out.bytes(unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, e)
	}
	return nil
}
