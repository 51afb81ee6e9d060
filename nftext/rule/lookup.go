// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Named returns a set or map that is in the kernel already, by its name. What it
// holds the kernel is asked for when a rule that refers to it is added.
func Named(name string) *nftables.Set { return &nftables.Set{Name: name} }

// known returns what is known of a set: all of one that the program describes,
// and what the kernel says of one that it only names. Of one that is not there
// the kernel will say so.
func (b *builder) known(set *nftables.Set) *nftables.Set {
	if set.KeyType.Name != "" || set.ID != 0 || set.Name == "" {
		return set
	}
	at := tableChain{b.chain.Table.Family, b.chain.Table.Name, set.Name}
	have, ok := b.batch.sets[at]
	if !ok {
		have = set
		if conn, err := nftables.New(nftables.WithNetNSFd(b.batch.options.NetNS)); err == nil {
			if s, err := conn.GetSetByName(b.chain.Table, set.Name); err == nil {
				s.ID = 0 // it counts within a transaction
				if s.KeyType.GetNFTMagic() == nftables.TypeVerdict.GetNFTMagic() {
					// Of verdict maps google/nftables takes the one for the other.
					s.KeyType, s.DataType = nftables.SetDatatype{}, nftables.TypeVerdict
				}
				have = s
			}
		}
		b.batch.sets[at] = have
	}
	return have
}

// in is the condition that a key is in a set.
func in(k AnyKey, set *nftables.Set, not bool) Statement {
	sign := " @"
	if not {
		sign = " != @"
	}
	return statement{text: k.String() + sign + set.Name, help: "the set has to be there, in the same table", make: func(b *builder) error {
		set := b.known(set)
		if err := fits(k, set, false); err != nil {
			return err
		}
		if err := loadFor(b, k, set); err != nil {
			return err
		}
		b.add(&expr.Lookup{SourceRegister: reg1, SetID: set.ID, SetName: set.Name, Invert: not})
		return nil
	}}
}

// vmap is the verdict that a map has for a key.
func vmap(k AnyKey, m *nftables.Set) Statement {
	return statement{text: k.String() + " vmap @" + m.Name, help: "the map has to be there, in the same table", make: func(b *builder) error {
		m := b.known(m)
		if err := fits(k, m, true); err != nil {
			return err
		}
		if m.KeyType.Name != "" && m.DataType.GetNFTMagic() != nftables.TypeVerdict.GetNFTMagic() {
			return fmt.Errorf("map %s: %w: it holds %s, not verdicts", m.Name, dict.ErrInvalid, m.DataType.Name)
		}
		if err := loadFor(b, k, m); err != nil {
			return err
		}
		b.add(&expr.Lookup{SourceRegister: reg1, DestRegister: unix.NFT_REG_VERDICT, IsDestRegSet: true, SetID: m.ID, SetName: m.Name})
		return nil
	}}
}

// loadFor loads a key as a set wants it: intervals have the order of bytes.
func loadFor(b *builder, k AnyKey, set *nftables.Set) error {
	keys := k.keys()
	for _, part := range keys {
		if err := part.lookup(); err != nil {
			return err
		}
	}
	switch {
	case !set.Interval:
		return k.into(b, reg1)
	case len(keys) == 1:
		return keys[0].ordered(b, reg1)
	}
	return Concatenation{keys}.load(b, reg1, key.ordered)
}

// fits compares the types of a key and of a set whose type is known.
func fits(k AnyKey, set *nftables.Set, isMap bool) error {
	if set.Name == "" {
		return fmt.Errorf("%w: the set has no name", dict.ErrInvalid)
	}
	if set.KeyType.Name == "" {
		return nil
	}
	word := "set"
	if isMap {
		word = "map"
	}
	if set.IsMap != isMap {
		return fmt.Errorf("%s: %w: it is no %s", set.Name, dict.ErrInvalid, word)
	}
	if want, have := k.dataType(), set.KeyType; have.Bytes != want.Bytes {
		return fmt.Errorf("%s %s: %w: its keys are %s (%d bytes), not %s (%d bytes)", word, set.Name, dict.ErrInvalid, have.Name, have.Bytes, want.Name, want.Bytes)
	}
	return nil
}

// mapped is the value that a map has for a key.
type mapped struct {
	key AnyKey
	set *nftables.Set
}

// String returns the value as nft writes it.
func (m mapped) String() string { return m.key.String() + " map @" + m.set.Name }

func (m mapped) dataType() nftables.SetDatatype { return m.set.DataType }

func (m mapped) into(b *builder, reg uint32) error {
	set := b.known(m.set)
	if err := fits(m.key, set, true); err != nil {
		return err
	}
	if err := loadFor(b, m.key, set); err != nil {
		return err
	}
	b.add(&expr.Lookup{SourceRegister: reg1, DestRegister: reg, IsDestRegSet: true, SetID: set.ID, SetName: set.Name})
	return nil
}

// Concatenation is several keys one after the other, as nft's `ip saddr . tcp
// dport`.
type Concatenation struct{ parts []key }

// Concat concatenates keys. A key of several is several.
func Concat(keys ...AnyKey) Concatenation {
	var c Concatenation
	for _, k := range keys {
		c.parts = append(c.parts, k.keys()...)
	}
	return c
}

// String returns the concatenation as nft writes it.
func (c Concatenation) String() string {
	words := make([]string, len(c.parts))
	for i, k := range c.parts {
		words[i] = k.text
	}
	return strings.Join(words, " . ")
}

func (c Concatenation) keys() []key { return c.parts }

func (c Concatenation) dataType() nftables.SetDatatype {
	types := make([]nftables.SetDatatype, len(c.parts))
	for i, k := range c.parts {
		types[i] = k.typ
	}
	t, err := nftables.ConcatSetType(types...)
	if err != nil {
		return nftables.TypeInvalid
	}
	return t
}

func (c Concatenation) into(b *builder, reg uint32) error { return c.load(b, reg, key.into) }

// load loads each part, as one does, at the beginning of a register of 32 bits.
func (c Concatenation) load(b *builder, reg uint32, one func(key, *builder, uint32) error) error {
	const most = 64 // bytes of all registers
	for _, k := range c.parts {
		if err := k.need(b); err != nil {
			return err
		}
	}
	at := (reg - reg1) * 16
	for _, k := range c.parts {
		if at+k.typ.Bytes > most {
			return fmt.Errorf("%w: %d bytes are more than the registers hold", dict.ErrInvalid, c.dataType().Bytes)
		}
		r := unix.NFT_REG32_00 + at/4
		if at%16 == 0 {
			r = reg1 + at/16
		}
		if err := one(k, b, r); err != nil {
			return err
		}
		at += (k.typ.Bytes + 3) &^ 3
	}
	return nil
}

// In holds for packets whose keys are in the set.
func (c Concatenation) In(set *nftables.Set) Statement { return in(c, set, false) }

// NotIn holds for packets whose keys are not in the set.
func (c Concatenation) NotIn(set *nftables.Set) Statement { return in(c, set, true) }

// Vmap ends the rule with the verdict that a map has for the keys, if it has
// one.
func (c Concatenation) Vmap(verdicts *nftables.Set) Statement { return vmap(c, verdicts) }

// MapTo is the value that a map has for the keys; where it has none the rule
// ends.
func (c Concatenation) MapTo(m *nftables.Set) Value { return mapped{c, m} }
