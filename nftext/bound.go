// SPDX-License-Identifier: MIT

package nftext

import "nftdict/dict"

// Bound is a Term checked against the schema: *Condition, *Write or *Drop.
// It holds all that a compiler needs.
type Bound interface {
	// Term returns what it was bound from.
	Term() Term
}

// Ref is a Lookup with everything resolved.
type Ref struct {
	Table dict.Table // normal form
	Key   KeyRef
	Field string    // canonical name; in an Open table maybe not a field yet
	Type  dict.Type // of the values asked for: IPv4 or IPv6, never Address, unless asked Exists or Missing
	// Default answers where row or field is missing, if it is a value. For an
	// Address field it is set only if it is of the family asked for.
	Default dict.Value
}

// KeyRef yields a key of the table's key type.
type KeyRef struct {
	Selector Selector // 0 where Nested is set
	Nested   *Ref     // its Type fits the key type: String for KeyString, IPv4 for KeyIPv4 and KeyAddress, ...
}

// Condition is a bound Match. It holds for a value v of the Ref when
//
//	Eq              v is in one of Items
//	Ne              v is there and in none of Items
//	Lt Le Gt Ge     v compares so with Items[0].Lo
//	Exists Missing  the row has the field, or has not (or there is no row)
//
// A field that is missing, without a default, or that holds another type (Open
// tables, Address fields) satisfies no condition but Missing.
type Condition struct {
	Ref
	Op    Op
	Items []Item
	term  *Match
}

// Item is a part of the values that a condition names: a range from Lo to Hi,
// both included (equal for one value; a prefix is a range), or a Glob.
type Item struct {
	Lo, Hi dict.Value
	Glob   *Glob // strings with wildcards; Lo and Hi are zero
}

// Write is a bound Assign.
type Write struct {
	Ref
	Verb Verb
	// One of the three yields the value, of type Ref.Type.
	Const  dict.Value
	Source Selector
	Nested *Ref
	term   *Assign
}

// Drop is a bound Flush.
type Drop struct {
	Table dict.Table
	Key   KeyRef
	term  *Flush
}

// Term returns the Match it was bound from.
func (c *Condition) Term() Term { return c.term }

// Term returns the Assign it was bound from.
func (w *Write) Term() Term { return w.term }

// Term returns the Flush it was bound from.
func (d *Drop) Term() Term { return d.term }
