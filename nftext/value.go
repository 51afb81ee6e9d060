// SPDX-License-Identifier: MIT

package nftext

// Value is a term that stands where nft takes an expression: the field's value
// is put into a register, for nft's own sets, maps, statements and comparisons.
//
//	dict sessions ct id application vmap { "NETFLIX" : drop }
//	meta mark set dict users dict sessions ct id username mark
type Value struct{ Lookup }

// Kind returns KindValue.
func (*Value) Kind() Kind { return KindValue }

// String returns the canonical text, which ParseValue reads.
func (v *Value) String() string { return "dict " + v.Lookup.String() }

// Class is what nft takes a value for. The zero Class is none.
type Class uint8

// The classes. Numbers are in the machine's byte order or, as those that nft
// reads from packets are, in the network's.
const (
	ClassInteger   Class = 1 + iota // 4 bytes in the machine's order
	ClassInteger16                  // 2 bytes in network order
	ClassInteger64                  // 8 bytes in network order
	ClassIPv4                       // 4 bytes
	ClassIPv6                       // 16 bytes
	ClassName                       // 16 bytes, text that ends in at least one NUL
	ClassBool                       // 1 byte, 0 or 1
	ClassEther                      // 6 bytes
)

// Width returns how many bytes of registers a value of the class takes.
func (c Class) Width() int {
	switch c {
	case ClassBool:
		return 1
	case ClassInteger16:
		return 2
	case ClassInteger, ClassIPv4:
		return 4
	case ClassEther:
		return 6
	case ClassInteger64:
		return 8
	case ClassIPv6, ClassName:
		return 16
	}
	return 0
}

// Use is what nft does with a value, by the place where it stands.
type Use uint8

// The uses. Behind `set` and `to` nft takes other expressions than at the
// beginning of a match.
const (
	UseMatch   Use = iota // compared or looked up, where a match may begin
	UseKey                // looked up or computed with within a statement, or behind the dot of a concatenation
	UseNumber             // written to what takes 32 bits in the machine's order: a mark, a priority
	UsePort               // written to what takes 16 bits in network order
	UseAddress            // written to what takes an address
	UseElement            // added to a set
	UseListed             // part of a concatenation that is the key of a map in braces, within a statement
	UseBits               // computed with: and, or, xor, shifts
	UseLink               // written to what takes a MAC address
)

// Load is a bound Value. Where the field is missing, its default answers;
// without a value the rule ends, as with nft's own expressions.
type Load struct {
	Ref         // its Type is that of the field, or the family asked for of an address
	narrow bool // int is written where the field is int64: nft has 32 bits of it
	term   *Value
}

// Term returns the Value it was bound from.
func (l *Load) Term() Term { return l.term }
