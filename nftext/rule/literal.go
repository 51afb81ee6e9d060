// SPDX-License-Identifier: MIT

package rule

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// literal is a map that belongs to one rule.
type literal struct {
	key   AnyKey
	set   anonymous
	text  string
	wrong error
}

// Map is the value that a map of this rule has for a key; where it has none the
// rule ends. Its values are of the kind that a key such as like has:
// Map(TCPDport(), IPDaddr(), ...) has IPv4 addresses for ports.
func Map[K comparable, V any](k Key[K], like Key[V], values map[K]V) Value {
	l := fill(k, " map ", like.typ, values, func(e *nftables.SetElement, v V) (string, error) {
		d, err := like.enc(v)
		e.Val = d.data
		return d.text, err
	})
	l.set.dataHost = like.host
	return l
}

// Cases ends the rule with the verdict that values have for the key; where they
// have none the rule goes on.
func Cases[K comparable](k Key[K], values map[K]Verdict) Statement {
	l := fill(k, " vmap ", nftables.TypeVerdict, values, func(e *nftables.SetElement, v Verdict) (string, error) {
		e.VerdictData = &expr.Verdict{Kind: v.kind, Chain: v.chain}
		return v.String(), nil
	})
	return statement{text: l.text, make: func(b *builder) error { return l.into(b, unix.NFT_REG_VERDICT) }}
}

// fill makes a literal with its elements in the order of their keys.
func fill[K comparable, V any](k Key[K], word string, typ nftables.SetDatatype, values map[K]V, put func(*nftables.SetElement, V) (string, error)) literal {
	l := literal{key: k, set: anonymous{typ: k.typ, host: k.host, dataType: typ}}
	type pair struct {
		element nftables.SetElement
		text    string
	}
	var pairs []pair
	for key, v := range values {
		e, err := k.enc(key)
		p := pair{element: nftables.SetElement{Key: e.data}}
		text, err2 := put(&p.element, v)
		p.text = e.text + " : " + text
		switch {
		case err != nil:
			l.wrong = err
		case err2 != nil:
			l.wrong = err2
		case e.prefix:
			l.wrong = fmt.Errorf("%s: %w: a map of a rule has no wildcards", e.text, dict.ErrInvalid)
		}
		pairs = append(pairs, p)
	}
	names := k.typ.GetNFTMagic() == nftables.TypeIFName.GetNFTMagic() // which nft lists as numbers in host order
	slices.SortFunc(pairs, func(x, y pair) int {
		a, b := k.big(x.element.Key), k.big(y.element.Key)
		if names {
			a, b = swapped(a), swapped(b)
		}
		return bytes.Compare(a, b)
	})
	words := make([]string, len(pairs))
	for i, p := range pairs {
		l.set.elements = append(l.set.elements, p.element)
		words[i] = p.text
	}
	l.text = k.text + word + "{ " + strings.Join(words, ", ") + " }"
	return l
}

// String returns the map as nft writes it.
func (l literal) String() string { return l.text }

func (l literal) dataType() nftables.SetDatatype { return l.set.dataType }

func (l literal) into(b *builder, reg uint32) error {
	switch {
	case l.wrong != nil:
		return l.wrong
	case len(l.set.elements) == 0:
		return fmt.Errorf("%w: the map is empty", dict.ErrInvalid)
	}
	if err := loadFor(b, l.key, &nftables.Set{}); err != nil {
		return err
	}
	set := l.set // each rule has its own
	name, err := b.anonymous(&set)
	if err != nil {
		return err
	}
	b.add(&expr.Lookup{SourceRegister: reg1, DestRegister: reg, IsDestRegSet: true, SetID: set.id, SetName: name})
	return nil
}
