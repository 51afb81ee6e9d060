// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"strings"
)

// maxHostname is the longest host name in text form, in bytes.
const maxHostname = 253

// isHostname reports whether s is a host name: labels of letters, digits,
// hyphens and underscores, 1 to 63 bytes each, divided by single dots, without
// a dot at the end. A name of digits and dots alone is an address, not a name.
func isHostname(s string) bool {
	if len(s) == 0 || len(s) > maxHostname {
		return false
	}
	label, numeric := 0, true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_':
			numeric = false
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return label > 0 && !numeric
}

// cleanHost returns the host name or IP address in b, in lower case and without
// the final dot, and whether it is one.
func cleanHost(b []byte) (name string, address, ok bool) {
	if n := len(b); n > 0 && b[n-1] == '.' {
		b = b[:n-1]
	}
	if len(b) > maxHostname {
		return "", false, false
	}
	s := lower(b)
	if isHostname(s) {
		return s, false, true
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && a.Zone() == "" {
		return a.String(), true, true
	}
	return "", false, false
}

// lower returns b as a string with ASCII letters in lower case.
func lower(b []byte) string {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			out := append([]byte(nil), b...)
			for ; i < len(out); i++ {
				if out[i] >= 'A' && out[i] <= 'Z' {
					out[i] += 'a' - 'A'
				}
			}
			return string(out)
		}
	}
	return string(b)
}

// isPrintable reports whether b is printable ASCII.
func isPrintable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// printable returns b for people: other bytes than printable ASCII as \xNN, and
// no more than maxSeen bytes in all.
func printable(b []byte) string {
	const hex = "0123456789abcdef"
	var out strings.Builder
	for _, c := range b {
		if c < 0x20 || c > 0x7e || c == '\\' {
			if out.Len()+4 > maxSeen {
				break
			}
			out.WriteString(`\x`)
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
			continue
		}
		if out.Len()+1 > maxSeen {
			break
		}
		out.WriteByte(c)
	}
	return out.String()
}
