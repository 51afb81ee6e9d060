// SPDX-License-Identifier: MIT

package nftext

import "nftdict/dict"

// Term is one dict term of a rule as it was written: *Match, *Assign, *Flush
// or *Value.
type Term interface {
	// String returns the canonical text, which parses to an equal Term.
	String() string
	// Kind tells where the term may stand.
	Kind() Kind
}

// Kind tells where a term may stand.
type Kind uint8

// The kinds of terms: KindMatch and KindStatement stand where a match or a
// statement may, KindValue where an expression may.
const (
	KindMatch Kind = iota
	KindStatement
	KindValue
)

// Lookup names a field of a row: `sessions ct id application long_string`.
type Lookup struct {
	Table string    // as written; "" where it was omitted: the open table that /proc prints as None
	Key   KeyExpr   // what yields the key
	Field string    // as written
	Type  dict.Type // 0 where it was omitted
}

// KeyExpr yields the key of a row: what a Selector reads from the packet, or
// the value of another Lookup.
type KeyExpr struct {
	Selector Selector // 0 where Nested is set
	Nested   *Lookup  // `dict sessions ct id username`
}

// Match is a condition on a field.
type Match struct {
	Lookup
	Op    Op
	Items []Operand // one for the ordering operators, one or more for Eq and Ne, none for Exists and Missing
	Set   bool      // Eq and Ne: written as a set in braces
}

// Operand is a value as it was written: `NETFLIX`, `10.0.0.0/8`, `5-10`. Text
// has lost its quotes but keeps its backslashes.
type Operand struct {
	Text   string
	Quoted bool // was in quotes: never a keyword, a range or a prefix
}

// Assign writes a field from the packet's way: set, add or sub.
type Assign struct {
	Lookup
	Verb   Verb
	Value  Operand // a constant, unless Source or Nested is set
	Source Selector
	Nested *Lookup
}

// Verb is what an Assign does.
type Verb uint8

// The verbs: Set replaces; Add and Sub saturate at the type's limits and
// start from the field's default, else 0, where the field is missing.
const (
	VerbSet Verb = iota
	VerbAdd
	VerbSub
)

// Flush deletes a row from the packet's way.
type Flush struct {
	Table string
	Key   KeyExpr
}

// Kind returns KindMatch.
func (*Match) Kind() Kind { return KindMatch }

// Kind returns KindStatement.
func (*Assign) Kind() Kind { return KindStatement }

// Kind returns KindStatement.
func (*Flush) Kind() Kind { return KindStatement }

// Op is the operator of a condition.
type Op uint8

// The operators. Lt, Le, Gt and Ge order int, int64 and addresses of one
// family; Exists and Missing ask for the field itself, defaults aside.
const (
	Eq Op = iota
	Ne
	Lt
	Le
	Gt
	Ge
	Exists
	Missing
)

var opText = [...]string{Eq: "==", Ne: "!=", Lt: "<", Le: "<=", Gt: ">", Ge: ">=", Exists: "exists", Missing: "missing"}

// String returns the operator as nft writes it.
func (o Op) String() string { return opText[o] }
