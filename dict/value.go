// SPDX-License-Identifier: MIT

package dict

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strconv"
)

// Value is one typed value. Values of the same type compare with ==. The zero
// Value is no value.
type Value struct {
	typ  Type
	num  int64      // Bool 0/1, Int, Int64, Ether in the low 48 bits
	addr netip.Addr // IPv4, IPv6
	str  string     // String
}

// BoolValue returns a value of type Bool.
func BoolValue(b bool) Value {
	if b {
		return Value{typ: Bool, num: 1}
	}
	return Value{typ: Bool}
}

// IntValue returns a value of type Int.
func IntValue(n int32) Value { return Value{typ: Int, num: int64(n)} }

// Int64Value returns a value of type Int64.
func Int64Value(n int64) Value { return Value{typ: Int64, num: n} }

// AddrValue returns a value of type IPv4 or IPv6; an IPv4-mapped IPv6 address
// stays IPv6 and a zone is dropped. The invalid Addr gives no value.
func AddrValue(a netip.Addr) Value {
	switch {
	case a.Is4():
		return Value{typ: IPv4, addr: a}
	case a.Is6():
		return Value{typ: IPv6, addr: a.WithZone("")}
	}
	return Value{}
}

// EtherValue returns a value of type Ether; mac is in the order of the wire.
func EtherValue(mac [6]byte) Value { return Value{typ: Ether, num: etherNum(mac)} }

// StringValue returns a value of type String, or an error that wraps
// ErrTooLong (over MaxString bytes) or ErrInvalid (NUL, not UTF-8).
func StringValue(s string) (Value, error) {
	if err := checkString(s); err != nil {
		return Value{}, err
	}
	return Value{typ: String, str: s}, nil
}

// MustString is StringValue for constants; it panics on an error.
func MustString(s string) Value {
	v, err := StringValue(s)
	if err != nil {
		panic(err)
	}
	return v
}

// Type returns the value's type, 0 for no value.
func (v Value) Type() Type { return v.typ }

// IsZero reports whether v is no value.
func (v Value) IsZero() bool { return v.typ == 0 }

// Bool returns the truth of a Bool, else false.
func (v Value) Bool() bool { return v.typ == Bool && v.num != 0 }

// Int64 returns the number of an Int or Int64, 0 or 1 for a Bool, else 0.
func (v Value) Int64() int64 {
	if v.typ == Int || v.typ == Int64 || v.typ == Bool {
		return v.num
	}
	return 0
}

// Addr returns the address of an IPv4 or IPv6, else the invalid Addr.
func (v Value) Addr() netip.Addr { return v.addr }

// Ether returns the address of an Ether in the order of the wire, else zeros.
func (v Value) Ether() [6]byte {
	if v.typ != Ether {
		return [6]byte{}
	}
	return etherBytes(v.num)
}

// Str returns the text of a String, else "".
func (v Value) Str() string { return v.str }

// String returns the canonical text, without quotes for a String: true, -5,
// 10.0.0.1, 2001:db8::1, 02:00:00:00:00:01, NETFLIX. ParseValue reads it.
func (v Value) String() string {
	if v.typ == String {
		return v.str
	}
	return string(v.appendText(nil))
}

// Text returns the value as listings and rules write it: String quoted, the
// rest as String does. ParseText reads it.
func (v Value) Text() string { return string(v.appendText(nil)) }

// appendText appends what Text returns.
func (v Value) appendText(b []byte) []byte {
	switch v.typ {
	case Bool:
		return strconv.AppendBool(b, v.num != 0)
	case Int, Int64:
		return strconv.AppendInt(b, v.num, 10)
	case IPv4, IPv6:
		return v.addr.AppendTo(b)
	case Ether:
		m := etherBytes(v.num)
		return fmt.Appendf(b, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
	case String:
		return appendQuote(b, v.str)
	}
	return b
}

// Convert returns v as a field of type t stores it (Int widened to Int64), or
// an error that wraps ErrType.
func (v Value) Convert(t Type) (Value, error) {
	if v.typ == 0 {
		return Value{}, fmt.Errorf("%w: no value, want %s", ErrType, t)
	}
	if !t.Accepts(v.typ) {
		return Value{}, fmt.Errorf("value %s: %w: %s, want %s", v.Text(), ErrType, v.typ, t)
	}
	if t == Int64 {
		v.typ = Int64
	}
	return v, nil
}

// ParseValue reads the text of a value of type t. Numbers are decimal or 0x
// hexadecimal with an optional sign; bool is true, false, 1 or 0; the text of
// a string is taken as it is. The error wraps ErrInvalid, ErrRange or
// ErrTooLong and names the text.
func ParseValue(t Type, text string) (Value, error) {
	switch t {
	case Bool:
		switch text {
		case "true", "1":
			return BoolValue(true), nil
		case "false", "0":
			return BoolValue(false), nil
		}
	case Int, Int64:
		bits := 32
		if t == Int64 {
			bits = 64
		}
		n, err := parseInt(text, bits)
		if err != nil {
			return Value{}, fmt.Errorf("%s %s: %w", t, brief(text), err)
		}
		return Value{typ: t, num: n}, nil
	case IPv4, IPv6, Address:
		a, err := netip.ParseAddr(text)
		if err == nil && a.Zone() == "" && (t == Address || a.Is4() == (t == IPv4)) {
			return AddrValue(a), nil
		}
	case Ether:
		if m, ok := parseEther(text); ok {
			return EtherValue(m), nil
		}
	case String:
		return StringValue(text)
	}
	return Value{}, fmt.Errorf("%s %s: %w", t, brief(text), ErrInvalid)
}

// ParseText reads a value as Text writes it: like ParseValue, and a string
// that begins with a double quote is unquoted first.
func ParseText(t Type, text string) (Value, error) {
	if t == String {
		s, err := Unquote(text)
		if err != nil {
			return Value{}, err
		}
		return StringValue(s)
	}
	return ParseValue(t, text)
}

func parseInt(text string, bits int) (int64, error) {
	// Base 0 would take octal, binary and underscores too: only the two forms
	// that nft knows.
	digits := text
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	base := 10
	if len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		base, digits = 16, digits[2:]
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
			return 0, ErrRange
		}
		return 0, ErrInvalid
	}
	limit := uint64(math.MaxInt64) >> (64 - bits)
	if text[0] == '-' {
		if n > limit+1 {
			return 0, ErrRange
		}
		return -int64(n), nil
	}
	if n > limit {
		return 0, ErrRange
	}
	return int64(n), nil
}

func parseEther(text string) (m [6]byte, ok bool) {
	if len(text) != 17 {
		return m, false
	}
	for i := range 6 {
		n, err := strconv.ParseUint(text[3*i:3*i+2], 16, 8)
		if err != nil || i < 5 && text[3*i+2] != ':' {
			return m, false
		}
		m[i] = byte(n)
	}
	return m, true
}

func etherNum(m [6]byte) int64 {
	return int64(binary.BigEndian.Uint16(m[:2]))<<32 | int64(binary.BigEndian.Uint32(m[2:]))
}

func etherBytes(n int64) (m [6]byte) {
	binary.BigEndian.PutUint16(m[:2], uint16(n>>32))
	binary.BigEndian.PutUint32(m[2:], uint32(n))
	return m
}
