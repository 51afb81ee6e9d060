// SPDX-License-Identifier: MIT

package dict

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"strconv"
)

// Key is one typed key of a table. Keys compare with ==. The zero Key is no
// key.
type Key struct {
	typ  KeyType
	num  int64      // KeyCtID, KeyMark, KeyInt, KeyEther in the low 48 bits
	addr netip.Addr // KeyIPv4, KeyIPv6, KeyAddress
	str  string     // KeyString
}

// CtID returns the key of a conntrack id in host order.
func CtID(id uint32) Key { return Key{typ: KeyCtID, num: int64(id)} }

// Mark returns the key of a packet or conntrack mark in host order.
func Mark(m uint32) Key { return Key{typ: KeyMark, num: int64(m)} }

// IntKey returns a key of type KeyInt.
func IntKey(n uint32) Key { return Key{typ: KeyInt, num: int64(n)} }

// EtherKey returns the key of a MAC address in the order of the wire.
func EtherKey(mac [6]byte) Key { return Key{typ: KeyEther, num: etherNum(mac)} }

// AddrKey returns a key of type KeyAddress; a zone is dropped. Convert makes
// it a key of KeyIPv4 or KeyIPv6.
func AddrKey(a netip.Addr) Key {
	if !a.IsValid() {
		return Key{}
	}
	return Key{typ: KeyAddress, addr: a.WithZone("")}
}

// StringKey returns a key of type KeyString, or an error that wraps
// ErrTooLong or ErrInvalid (empty, NUL, not UTF-8).
func StringKey(s string) (Key, error) {
	if s == "" {
		return Key{}, fmt.Errorf("key \"\": %w: empty", ErrInvalid)
	}
	if err := checkString(s); err != nil {
		return Key{}, err
	}
	return Key{typ: KeyString, str: s}, nil
}

// Type returns the key's type, 0 for no key.
func (k Key) Type() KeyType { return k.typ }

// Uint32 returns the number of a KeyCtID, KeyMark or KeyInt, else 0.
func (k Key) Uint32() uint32 {
	if k.typ == KeyEther {
		return 0
	}
	return uint32(k.num)
}

// Addr returns the address of a KeyIPv4, KeyIPv6 or KeyAddress, else the
// invalid Addr.
func (k Key) Addr() netip.Addr { return k.addr }

// Ether returns the address of a KeyEther in the order of the wire, else zeros.
func (k Key) Ether() [6]byte {
	if k.typ != KeyEther {
		return [6]byte{}
	}
	return etherBytes(k.num)
}

// Str returns the text of a KeyString, else "".
func (k Key) Str() string { return k.str }

// Compare orders keys of one type: numbers, addresses and MACs by their value, strings
// by their bytes.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.num, o.num), k.addr.Compare(o.addr), cmp.Compare(k.str, o.str))
}

// String returns the canonical text, without quotes for a string: a decimal
// conntrack id or number, 0x0000002a for a mark, an address. ParseKey reads it.
func (k Key) String() string {
	if k.typ == KeyString {
		return k.str
	}
	return string(k.appendText(nil))
}

// Text returns the key as listings write it: strings quoted.
func (k Key) Text() string { return string(k.appendText(nil)) }

// appendText appends what Text returns.
func (k Key) appendText(b []byte) []byte {
	switch k.typ {
	case KeyCtID, KeyInt:
		return strconv.AppendInt(b, k.num, 10)
	case KeyMark:
		return fmt.Appendf(b, "0x%08x", uint32(k.num))
	case KeyIPv4, KeyIPv6, KeyAddress:
		return k.addr.AppendTo(b)
	case KeyEther:
		return Value{typ: Ether, num: k.num}.appendText(b)
	case KeyString:
		return appendQuote(b, k.str)
	}
	return b
}

// Convert returns k as a key of type t: address keys convert to their family's
// type and back, KeyCtID, KeyMark and KeyInt do not. The error wraps ErrType.
func (k Key) Convert(t KeyType) (Key, error) {
	isAddr := k.typ == KeyAddress || k.typ == KeyIPv4 || k.typ == KeyIPv6
	switch {
	case k.typ == 0:
		return Key{}, fmt.Errorf("%w: no key, want %s", ErrType, t)
	case k.typ == t:
	case isAddr && t == KeyAddress, isAddr && t == KeyIPv4 && k.addr.Is4(), isAddr && t == KeyIPv6 && k.addr.Is6():
		k.typ = t
	default:
		return Key{}, fmt.Errorf("key %s: %w: %s, want %s", k.Text(), ErrType, k.typ, t)
	}
	return k, nil
}

// ParseKey reads the text of a key of type t: decimal or 0x numbers of 32
// bits, addresses, plain strings. The error wraps ErrInvalid, ErrRange or
// ErrTooLong and names the text.
func ParseKey(t KeyType, text string) (Key, error) {
	switch t {
	case KeyCtID, KeyMark, KeyInt:
		n, err := parseInt(text, 64)
		if err == nil && (n < 0 || n > math.MaxUint32) {
			err = ErrRange
		}
		if err != nil {
			return Key{}, fmt.Errorf("%s %s: %w", t, brief(text), err)
		}
		return Key{typ: t, num: n}, nil
	case KeyIPv4, KeyIPv6, KeyAddress:
		a, err := netip.ParseAddr(text)
		if err == nil && a.Zone() == "" && (t == KeyAddress || a.Is4() == (t == KeyIPv4)) {
			return Key{typ: t, addr: a}, nil
		}
	case KeyEther:
		if m, ok := parseEther(text); ok {
			return EtherKey(m), nil
		}
	case KeyString:
		return StringKey(text)
	}
	return Key{}, fmt.Errorf("%s %s: %w", t, brief(text), ErrInvalid)
}

// ParseKeyText reads a key as Text writes it: like ParseKey, and a string
// that begins with a double quote is unquoted first.
func ParseKeyText(t KeyType, text string) (Key, error) {
	if t == KeyString {
		s, err := Unquote(text)
		if err != nil {
			return Key{}, err
		}
		return StringKey(s)
	}
	return ParseKey(t, text)
}
