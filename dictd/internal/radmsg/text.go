// SPDX-License-Identifier: MIT

package radmsg

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc6911"
)

// Bounds of what is taken from a message.
const (
	MaxText   = 128 // bytes of a name
	MaxGroups = 32
	MaxAddrs  = 16
)

// grouping are the attributes that may name groups.
var grouping = map[string]radius.Type{"Class": rfc2865.Class_Type, "Filter-Id": rfc2865.FilterID_Type}

// Grouping returns the attribute of a name that may name groups, false if it
// cannot.
func Grouping(name string) (radius.Type, bool) {
	t, ok := grouping[name]
	return t, ok
}

// Groups returns the groups that attributes name.
func Groups(p *radius.Packet, by []radius.Type) (all []string) {
	for _, t := range by {
		for _, avp := range p.Attributes {
			if avp.Type != t || len(all) >= MaxGroups {
				continue
			}
			if g, ok := Name(string(avp.Attribute)); ok && !strings.Contains(g, ",") {
				all = append(all, g)
			}
		}
	}
	return all
}

// Addresses returns the addresses that a session has been given.
func Addresses(p *radius.Packet) (all []netip.Addr) {
	add := func(b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if a = a.Unmap(); ok && len(all) < MaxAddrs && a.IsGlobalUnicast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 254}) { // "choose one"
			all = append(all, a)
		}
	}
	for _, avp := range p.Attributes {
		switch {
		case avp.Type == rfc2865.FramedIPAddress_Type && len(avp.Attribute) == 4, avp.Type == rfc6911.FramedIPv6Address_Type && len(avp.Attribute) == 16:
			add(avp.Attribute)
		}
	}
	return all
}

// Short returns a text behind a prefix, and of one that is too long what it alone is
// told apart by.
func Short(prefix, text string) string {
	if len(prefix)+len(text) <= MaxText {
		return prefix + text
	}
	sum := sha256.Sum256([]byte(text))
	return prefix + hex.EncodeToString(sum[:])
}

// Text returns bytes as text that can be printed, in hex if they cannot.
func Text(b []byte) string {
	if s, ok := Name(string(b)); ok {
		return s
	}
	return Short("", hex.EncodeToString(b))
}

// Name reports whether a text is a name, as identity.CheckUser has it, and returns
// it without space around.
func Name(s string) (string, bool) {
	s = strings.TrimSpace(s)
	ok := s != "" && s != "." && s != ".." && len(s) <= MaxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	if !ok {
		return "", false
	}
	return s, true
}

// MAC reads a MAC as clients write them: six bytes in hex, with hyphens, colons,
// dots or nothing between, perhaps with the name of a network behind.
func MAC(s string) (mac [6]byte, ok bool) {
	var digits []byte
	for i := 0; i < len(s) && len(digits) < 12; i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'f':
			digits = append(digits, c)
		case c != '-' && c != ':' && c != '.':
			return mac, false
		}
	}
	if n, err := hex.Decode(mac[:], digits); err != nil || n != len(mac) || mac[0]&1 != 0 || mac == ([6]byte{}) {
		return [6]byte{}, false
	}
	return mac, true
}
