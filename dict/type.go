// SPDX-License-Identifier: MIT

package dict

import "fmt"

// Type is the type of a value. The zero Type is no type; text that may leave
// its type out parses to it.
type Type uint8

// The types of values. Their numbers are stored in pinned maps: append only.
const (
	Bool    Type = 1 + iota // true or false
	Int                     // signed, 32 bits
	Int64                   // signed, 64 bits
	IPv4                    // IPv4 address
	IPv6                    // IPv6 address
	Address                 // field type only: an IPv4 or an IPv6 address; values are of type IPv4 or IPv6
	Ether                   // 48-bit MAC address
	String                  // 0 to MaxString bytes of UTF-8 without NUL
)

// MaxString is the longest string value and string key, in bytes.
const MaxString = 128

var typeWords = [...]string{
	Bool: "bool", Int: "int", Int64: "int64", IPv4: "ipv4_addr", IPv6: "ipv6_addr",
	Address: "address", Ether: "ether_addr", String: "long_string",
}

// Types lists all types in the order of their numbers.
func Types() []Type { return []Type{Bool, Int, Int64, IPv4, IPv6, Address, Ether, String} }

// String returns the type's word in rules and schemas: bool, int, int64,
// ipv4_addr, ipv6_addr, address, ether_addr, long_string.
func (t Type) String() string {
	if t == 0 || int(t) >= len(typeWords) {
		return fmt.Sprintf("type(%d)", uint8(t))
	}
	return typeWords[t]
}

// Valid reports whether t is one of the types above.
func (t Type) Valid() bool { return t >= Bool && t <= String }

// ParseType returns the type of a word; "string" is an alias of long_string.
// The error wraps ErrInvalid.
func ParseType(word string) (Type, error) {
	if word == "string" {
		return String, nil
	}
	for _, t := range Types() {
		if typeWords[t] == word {
			return t, nil
		}
	}
	return 0, fmt.Errorf("type %s: %w: want bool, int, int64, ipv4_addr, ipv6_addr, address, ether_addr or long_string", brief(word), ErrInvalid)
}

// Accepts reports whether a field of type t may hold a value of type v: the
// same type, int where int64 is asked for, and either address family where
// the field is of type address.
func (t Type) Accepts(v Type) bool {
	switch t {
	case Int64:
		return v == Int || v == Int64
	case Address:
		return v == IPv4 || v == IPv6
	}
	return t == v
}

// KeyType is the type of a table's keys.
type KeyType uint8

// The types of keys. Their numbers are stored in pinned maps: append only.
const (
	KeyCtID    KeyType = 1 + iota // conntrack id, 32 bits, as `conntrack -L -o id` shows it
	KeyIPv4                       // IPv4 address
	KeyIPv6                       // IPv6 address
	KeyAddress                    // IPv4 or IPv6 address; 10.0.0.1 and ::ffff:10.0.0.1 are different keys
	KeyEther                      // 48-bit MAC address
	KeyMark                       // packet or conntrack mark, 32 bits
	KeyInt                        // any other 32-bit number, unsigned
	KeyString                     // 1 to MaxString bytes of UTF-8 without NUL
)

var keyWords = [...]string{
	KeyCtID: "ct_id", KeyIPv4: "ipv4_addr", KeyIPv6: "ipv6_addr", KeyAddress: "address",
	KeyEther: "ether_addr", KeyMark: "mark", KeyInt: "int", KeyString: "string",
}

// KeyTypes lists all key types in the order of their numbers.
func KeyTypes() []KeyType {
	return []KeyType{KeyCtID, KeyIPv4, KeyIPv6, KeyAddress, KeyEther, KeyMark, KeyInt, KeyString}
}

// String returns the key type's word in schemas: ct_id, ipv4_addr, ipv6_addr,
// address, ether_addr, mark, int, string.
func (t KeyType) String() string {
	if t == 0 || int(t) >= len(keyWords) {
		return fmt.Sprintf("key type(%d)", uint8(t))
	}
	return keyWords[t]
}

// Valid reports whether t is one of the key types above.
func (t KeyType) Valid() bool { return t >= KeyCtID && t <= KeyString }

// ParseKeyType returns the key type of a word; "long_string" is an alias of
// string. The error wraps ErrInvalid.
func ParseKeyType(word string) (KeyType, error) {
	if word == "long_string" {
		return KeyString, nil
	}
	for _, t := range KeyTypes() {
		if keyWords[t] == word {
			return t, nil
		}
	}
	return 0, fmt.Errorf("key type %s: %w: want ct_id, ipv4_addr, ipv6_addr, address, ether_addr, mark, int or string", brief(word), ErrInvalid)
}
