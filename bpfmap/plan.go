// SPDX-License-Identifier: MIT

package bpfmap

import (
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
)

// plan is a term worked out: which program, with which constants and tables.
type plan struct {
	program   string // name in the object
	condition ruleCondition
	statement ruleStatement
	globs     automaton
	carried   nftext.Selector    // what nft puts into the secmark, 0 for nothing
	tables    [tableRoles]*table // nil where there is none
}

// Which table the program knows under which number: the row's own, those on
// the way to its key, that of a value's row, and those on the way to that.
const (
	roleRow   = 0
	roleKey   = 1
	roleValue = 3
	roleFrom  = 4

	tableRoles = 6
)

// As enum source, enum verb and enum origin in bpf/.
const (
	sourceCarried = 1 + iota
	sourceCarriedBE
	sourceMark
	sourceLength
	sourcePriority
	sourceIPSaddr
	sourceIPDaddr
	sourceIP6Saddr
	sourceIP6Daddr
	sourceEtherSaddr
	sourceEtherDaddr
)

const (
	originConstant = iota
	originSource
	originNested
)

// planner works a term out against the store as it is now.
type planner struct {
	store *Store
	check bool // the plan is only looked at: it brings no fields
	plan
	brought []broughtField // fields of open tables that only rules know yet
}

func (p *planner) match(c *nftext.Condition) error {
	p.program = ruleProgMatch
	q := &p.condition
	var err error
	if q.Key, err = p.chain(&c.Key, c.Table.Key, roleKey); err != nil {
		return err
	}
	if q.Ref, err = p.ref(&c.Ref, roleRow); err != nil {
		return err
	}
	cmp, err := compare(c, p.store.dir.state.secret)
	if err != nil {
		return err
	}
	q.Shape, q.Items, q.GlobWords = cmp.shape, uint32(len(cmp.items)), uint32(cmp.globs.words())
	copy(q.Item[:], cmp.items)
	p.globs = cmp.globs
	q.Inside = number(cmp.inside)
	q.Other = number(c.Op == nftext.Missing)
	missing, err := withoutRow(*c)
	q.Missing = number(missing)
	return err
}

// withoutRow returns what a condition answers where there is no row: the
// reference knows about defaults.
func withoutRow(c nftext.Condition) (bool, error) {
	c.Key = nftext.KeyRef{Selector: nftext.MetaMark}
	c.Table.Key = dict.KeyMark
	return nftext.Eval(&c, nftext.Packet{nftext.MetaMark: dict.Mark(0)}, noRows{})
}

type noRows struct{}

func (noRows) Get(string, dict.Key) (dict.Row, error) { return dict.Row{}, dict.ErrNotExist }

func (p *planner) write(w *nftext.Write) error {
	p.program = ruleProgWrite
	q := &p.statement
	q.Verb = uint32(w.Verb)
	if err := p.row(&w.Table, &w.Key); err != nil {
		return err
	}
	var err error
	if q.Ref, err = p.ref(&w.Ref, roleRow); err != nil {
		return err
	}
	life, err := w.Table.Life("dict", 0)
	if err != nil {
		return err
	}
	q.Life = uint64(life)
	switch {
	case w.Nested != nil:
		q.Origin = originNested
		if q.From, err = p.chain(&w.Nested.Key, w.Nested.Table.Key, roleFrom); err != nil {
			return err
		}
		q.FromRef, err = p.ref(w.Nested, roleValue)
		q.Text.set(w.Nested.Default)
	case w.Source != 0:
		q.Origin = originSource
		q.Source, err = p.source(w.Source)
	default:
		q.Constant = p.value(w.Const)
		q.Text.set(w.Const)
	}
	return err
}

func (p *planner) drop(d *nftext.Drop) error {
	p.program = ruleProgDrop
	if err := p.row(&d.Table, &d.Key); err != nil {
		return err
	}
	t, err := p.store.table("dict", d.Table.Name)
	p.tables[roleRow] = t
	return err
}

// row works out the key of a statement.
func (p *planner) row(t *dict.Table, k *nftext.KeyRef) (err error) {
	q := &p.statement
	if q.Key, err = p.chain(k, t.Key, roleKey); err != nil {
		return err
	}
	q.Named = number(t.Key == dict.KeyString)
	if k.Nested != nil {
		q.Name.set(k.Nested.Default)
	}
	return nil
}

// chain works out what leads to a key of type t; role is that of the first
// table on the way.
func (p *planner) chain(k *nftext.KeyRef, t dict.KeyType, role int) (c ruleChain, err error) {
	c.Type[0] = uint32(t)
	for ; k.Nested != nil; k = &k.Nested.Key {
		if int(c.Steps) == len(c.Step) {
			return c, fmt.Errorf("key dict %s: %w by the ebpf backend: at most %d lookups in a row", k.Nested.Table.Name, dict.ErrNotSupported, len(c.Step)+1)
		}
		if c.Step[c.Steps], err = p.ref(k.Nested, role+int(c.Steps)); err != nil {
			return c, err
		}
		c.Steps++
		c.Type[c.Steps] = uint32(k.Nested.Table.Key)
	}
	c.Source, err = p.source(k.Selector)
	return c, err
}

// ref works out a field. In an open table a rule may bring it.
func (p *planner) ref(r *nftext.Ref, role int) (ruleRef, error) {
	t, err := p.store.table("dict", r.Table.Name)
	if err != nil {
		return ruleRef{}, err
	}
	index, ok := t.fields[r.Field]
	if !ok && t.schema.Open && p.check {
		// Whatever number it would get: no packet ever meets this program.
		if _, err := t.schema.With(dict.Field{Name: r.Field}); err != nil {
			return ruleRef{}, &dict.At{Op: "dict", Err: err}
		}
		index, ok = len(t.schema.Fields), true
	}
	if !ok && t.schema.Open {
		if err := p.store.bring(t.schema.Name, r.Field); err != nil {
			return ruleRef{}, err
		}
		if t, err = p.store.table("dict", r.Table.Name); err != nil {
			return ruleRef{}, err
		}
		index, ok = t.fields[r.Field]
	}
	if !ok {
		return ruleRef{}, &dict.At{Op: "dict", Table: t.schema.Name, Field: r.Field, Err: dict.ErrNotExist}
	}
	if t.hidden[r.Field] {
		p.brought = append(p.brought, broughtField{t.id, t.schema.Name, r.Field})
	}
	p.tables[role] = t
	out := ruleRef{Field: uint32(index), Type: uint32(r.Type), Open: number(t.schema.Open)}
	if !r.Default.IsZero() {
		out.HasFallback, out.Fallback = 1, p.value(r.Default)
	}
	return out, nil
}

func (p *planner) value(v dict.Value) ruleValue {
	out := ruleValue{Words: words(v), Type: uint32(v.Type())}
	if v.Type() == dict.String {
		out.Words, out.Len = p.store.dir.state.secret.sum(v.Str()), uint32(len(v.Str()))
	}
	return out
}

func (t *ruleText) set(v dict.Value) {
	t.Len = uint32(copy(t.Bytes[:], v.Str()))
}

// source works out what is read from the packet. nft carries one number to
// the program; a second one it has no place for.
func (p *planner) source(s nftext.Selector) (uint32, error) {
	how := uint32(sourceCarried)
	switch s {
	case nftext.MetaMark:
		return sourceMark, nil
	case nftext.MetaLength:
		return sourceLength, nil
	case nftext.MetaPriority:
		return sourcePriority, nil
	case nftext.IPSaddr:
		return sourceIPSaddr, nil
	case nftext.IPDaddr:
		return sourceIPDaddr, nil
	case nftext.IP6Saddr:
		return sourceIP6Saddr, nil
	case nftext.IP6Daddr:
		return sourceIP6Daddr, nil
	case nftext.EtherSaddr:
		return sourceEtherSaddr, nil
	case nftext.EtherDaddr:
		return sourceEtherDaddr, nil
	case nftext.CtID:
		how = sourceCarriedBE
	}
	if p.carried != 0 && p.carried != s {
		return 0, fmt.Errorf("%s beside %s: %w by the ebpf backend: one of them must be an address, the packet's mark, length or priority, as of: meta mark set %s", s, p.carried, dict.ErrNotSupported, s)
	}
	p.carried = s
	return how, nil
}

func number(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
