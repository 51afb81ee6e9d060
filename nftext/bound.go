// SPDX-License-Identifier: MIT

package nftext

import "nftdict/dict"

// Bound is a Term checked against the schema: *Condition, *Write, *Drop or
// *Load.
// It holds all that a compiler needs.
type Bound interface {
	// Term returns what it was bound from.
	Term() Term
}

// Ref is a Lookup with everything resolved.
type Ref struct {
	Table dict.Table // normal form
	Key   KeyRef
	Field string // canonical name; in an Open table maybe not a field yet
	// Type is the type of the values asked for. Address, which takes either
	// family, stands only where nothing depends on the family: in Exists and
	// Missing, in a Nested key of a KeyAddress table and in a Nested value for an
	// Address field (then also in its Write). It is 0 only for Exists and Missing
	// in an Open table, and takes any type.
	Type dict.Type
	// Default answers where row or field is missing, if it is a value. For an
	// Address field it is set only if it is of the family asked for.
	Default dict.Value
}

// KeyRef yields a key of the table's key type.
type KeyRef struct {
	Selector Selector // 0 where Nested is set
	// Nested has a Type that fits the key type: String for KeyString, Ether for
	// KeyEther, IPv4 for KeyIPv4 and KeyAddress, IPv6 for KeyIPv6 and KeyAddress,
	// Address for KeyAddress, Int or Int64 for KeyMark and KeyInt. A number
	// outside 0 to 2^32-1 and the empty string are no keys.
	Nested *Ref
}

// Condition is a bound Match. It holds for a value v of the Ref when
//
//	Eq              v is in one of Items
//	Ne              v is there and in none of Items
//	Lt Le Gt Ge     v compares so with Items[0].Lo
//	Exists Missing  the row has the field, or has not (or there is no row)
//
// Exists and Missing do not look at defaults. A field that is missing, without
// a default, or that holds another type (Open tables, Address fields) satisfies
// no condition but Missing.
//
// Without a key nothing holds, not even Missing: where the packet has not what
// the selector reads (`ip saddr` of an IPv6 packet), or a Nested field has no
// value. A Write or Drop without a key does nothing, and the rule goes on; only
// where nft itself reads the selector for the backend may it end there, as it
// does with nft's own expressions (`ct id` of an untracked packet).
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

// Write is a bound Assign. It lets the rule go on, also where it could not
// write: without a key, without a value, and where the table is full.
//
// Add and Sub start from the value of type Ref.Type that is there, else from
// Ref.Default, else from 0.
type Write struct {
	Ref
	Verb Verb
	// One of the three yields the value.
	Const  dict.Value // of type Ref.Type
	Source Selector   // of Ref.Type, or a number of 32 bits without a sign for Int and Int64
	Nested *Ref       // of Ref.Type, or Int where that is Int64; Add and Sub also take Int64 for Int
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
