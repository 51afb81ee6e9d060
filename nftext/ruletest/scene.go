// SPDX-License-Identifier: MIT

package ruletest

import (
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
)

// Flow is the packet of a scene: one UDP packet over Ethernet, of a tracked
// connection that the runner opens anew. Addresses are the runner's choice.
type Flow struct {
	Name   string
	IPv6   bool
	Mark   uint32 // of the packet when it meets the rules
	CtMark uint32 // of its connection
}

// Flows returns the two flows of all scenes.
func Flows() (v4, v6 Flow) {
	return Flow{Name: "v4", Mark: 41, CtMark: 0x80000041}, Flow{Name: "v6", IPv6: true, Mark: 61, CtMark: 0x80000061}
}

// Packet returns what the selectors yield for a packet of the flow. known is
// what only the runner knows: the ct id, addresses of both layers, the
// interface, the length (of the network packet), of which it may leave out
// what the packet has not.
func (f Flow) Packet(known nftext.Packet) nftext.Packet {
	p := nftext.Packet{nftext.MetaMark: dict.Mark(f.Mark), nftext.CtMark: dict.Mark(f.CtMark)}
	for s, k := range known {
		switch s {
		case nftext.IPSaddr, nftext.IPDaddr:
			if f.IPv6 {
				continue
			}
		case nftext.IP6Saddr, nftext.IP6Daddr:
			if !f.IPv6 {
				continue
			}
		}
		p[s] = k
	}
	return p
}

// Row is a row to put or to expect. Its key is what Select yields for the
// packet, else Key.
type Row struct {
	Table  string
	Select nftext.Selector
	Key    dict.Key
	Cells  []Cell
}

// Cell is a field's value: what From yields for the packet, else Value.
type Cell struct {
	Field string
	Value dict.Value
	From  nftext.Selector
}

// Resolve returns the row with the packet's key and values, false if the
// packet has not what it asks for.
func (r Row) Resolve(p nftext.Packet) (dict.Row, bool) {
	out := dict.Row{Key: r.Key}
	if r.Select != 0 {
		k, ok := p[r.Select]
		if !ok {
			return out, false
		}
		out.Key = k
	}
	for _, c := range r.Cells {
		if c.From != 0 {
			k, ok := p[c.From]
			if !ok {
				return out, false
			}
			c.Value = nftext.KeyValue(k)
		}
		out.Cells = append(out.Cells, dict.Cell{Field: c.Field, Value: c.Value})
	}
	return out, true
}

// Scene is rows, a packet, and what rules answer.
type Scene struct {
	Name  string
	Flow  Flow
	Rows  []Row
	Rules []Rule
}

// Rule is a match and whether it holds.
type Rule struct {
	Text  string
	Match bool
}

// Effect is what a statement does to the store when Packets packets of a flow
// meet it. A rule goes on behind its statement.
type Effect struct {
	Name    string
	Flow    Flow
	Rows    []Row // before
	Text    string
	Packets int
	Want    []Row // after: these rows with these cells and no others; without cells, no such row
}

// Put stores rows as a packet resolves them.
func Put(s dict.Store, p nftext.Packet, rows ...Row) error {
	for _, r := range rows {
		row, ok := r.Resolve(p)
		if !ok {
			return fmt.Errorf("row of %s: packet has no %s", r.Table, r.Select)
		}
		t, err := s.Table(r.Table)
		if err != nil {
			return err
		}
		if row.Key, err = fit(row.Key, t.Key); err != nil {
			return err
		}
		if err := s.Put(r.Table, row); err != nil {
			return err
		}
	}
	return nil
}

// fit makes a packet's number a key of the table's type.
func fit(k dict.Key, t dict.KeyType) (dict.Key, error) {
	switch {
	case k.Type() == t:
		return k, nil
	case t == dict.KeyMark:
		return dict.Mark(k.Uint32()), nil
	case t == dict.KeyInt:
		return dict.IntKey(k.Uint32()), nil
	}
	return k.Convert(t)
}
