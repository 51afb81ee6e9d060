// SPDX-License-Identifier: MIT

package country

// Code is a country as two capital letters (ISO 3166-1 alpha-2), the first in
// the upper byte. Zero says that nobody has looked.
type Code uint16

// Codes that stand for no country. ISO leaves them to their users.
const (
	Local   Code = 'X'<<8 | 'L' // private, loopback, link-local: of no country
	Unknown Code = 'X'<<8 | 'U' // not in the database
)

// unassigned is what some databases say of addresses that nobody has.
const unassigned Code = 'Z'<<8 | 'Z'

// ParseCode reads two letters of either case; false if s is something else.
func ParseCode(s string) (Code, bool) {
	if len(s) != 2 {
		return 0, false
	}
	a, b := s[0]&^0x20, s[1]&^0x20
	if a < 'A' || a > 'Z' || b < 'A' || b > 'Z' {
		return 0, false
	}
	return Code(a)<<8 | Code(b), true
}

// String returns the two letters, "" of the zero Code.
func (c Code) String() string {
	if c == 0 {
		return ""
	}
	return string([]byte{byte(c >> 8), byte(c)})
}
