// SPDX-License-Identifier: MIT

package vendor

import "strings"

// reader reads the lines of a registry.
type reader struct {
	block uint64 // the first 24 bits of the entry that a range belongs to
	inOUI bool   // there is one
	csv   bool   // lines that are not of CSV go on with an address
}

// line returns what a line says, false if it is no entry: a comment, a heading,
// a part of an address, or something else.
func (r *reader) line(s string) (prefix, string, bool) {
	s = strings.TrimRight(s, "\r")
	switch {
	case s == "" || s[0] == '#' || s[0] == ' ' || s[0] == '\t':
		return prefix{}, "", false
	}
	word, rest := cutBlanks(s)
	if strings.HasPrefix(rest, "(hex)") {
		r.hex(word)
		return prefix{}, "", false
	}
	if name, ok := strings.CutPrefix(rest, "(base 16)"); ok {
		return r.base16(word, name)
	}
	registry, fields, ok := strings.Cut(s, ",")
	switch {
	case ok && isRegistry(registry):
		r.csv = true
		return fromCSV(fields)
	case r.csv, ok && registry == "Registry":
		r.csv = true
		return prefix{}, "", false
	}
	return fromColumns(word, rest)
}

// cutBlanks cuts s at its first blanks.
func cutBlanks(s string) (word, rest string) {
	at := strings.IndexAny(s, " \t")
	if at < 0 {
		return s, ""
	}
	return s[:at], strings.TrimLeft(s[at:], " \t")
}

// isRegistry reports whether a word begins the lines of one of the IEEE's CSV
// files. CID, whose numbers make no universal addresses, is none.
func isRegistry(s string) bool {
	switch strings.Trim(s, `"`) {
	case "MA-L", "MA-M", "MA-S", "IAB":
		return true
	}
	return false
}

// fromCSV reads the assignment and the name of a line of CSV behind its first
// field. The place of business may go on in other lines, which are no entries.
func fromCSV(s string) (prefix, string, bool) {
	number, s := field(s)
	name, _ := field(s)
	p, ok := parsePrefix(number)
	return p, name, ok
}

// field takes the first field off a line of CSV.
func field(s string) (first, rest string) {
	if !strings.HasPrefix(s, `"`) {
		first, rest, _ = strings.Cut(s, ",")
		return first, rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' { // a quote in quotes
			b.WriteByte('"')
			i++
			continue
		}
		_, rest, _ = strings.Cut(s[i+1:], ",")
		return b.String(), rest
	}
	return b.String(), "" // its end is in another line
}

// hex notes the block of "00-50-C2   (hex)   NAME", the first line of an entry in
// the IEEE's texts.
func (r *reader) hex(word string) {
	p, ok := parsePrefix(word)
	r.block, r.inOUI = p.number, ok && p.bits == largeBits
}

// base16 reads "0050C2   (base 16)   NAME", the second line, or
// "7D5000-7D5FFF   (base 16)   NAME" where the entry is a part of the block.
func (r *reader) base16(word, name string) (prefix, string, bool) {
	first, last, part := strings.Cut(word, "-")
	if !part {
		p, ok := parsePrefix(word)
		return p, name, ok && p.bits == largeBits
	}
	from, ok := parsePrefix(first)
	to, ok2 := parsePrefix(last)
	if !ok || !ok2 || !r.inOUI || from.bits != largeBits || to.bits != largeBits {
		return prefix{}, "", false
	}
	switch from.number ^ to.number {
	case 1<<(48-mediumBits) - 1:
		return prefix{(r.block<<24 | from.number) >> (48 - mediumBits), mediumBits}, name, true
	case 1<<(48-smallBits) - 1:
		return prefix{(r.block<<24 | from.number) >> (48 - smallBits), smallBits}, name, true
	}
	return prefix{}, "", false
}

// fromColumns reads a prefix and a name with blanks between: nmap's and arp-scan's
// lines, and Wireshark's, which have a short name and, behind a tab, a long one.
func fromColumns(word, rest string) (prefix, string, bool) {
	p, ok := parsePrefix(word)
	if !ok {
		return prefix{}, "", false
	}
	short, long, _ := strings.Cut(rest, "\t")
	if long = strings.TrimSpace(long); long != "" && long[0] != '#' {
		short = long
	}
	return p, short, true
}

// parsePrefix reads 6, 7 or 9 hexadecimal digits, or 12 and /28 or /36 behind
// them, with colons, hyphens or dots between octets or none.
func parsePrefix(s string) (prefix, bool) {
	digits, length, cut := strings.Cut(s, "/")
	number, n := uint64(0), 0
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		case (c == ':' || c == '-' || c == '.') && n > 0:
			continue
		default:
			return prefix{}, false
		}
		if n++; n > 12 {
			return prefix{}, false
		}
		number = number<<4 | uint64(c)
	}
	switch {
	case !cut && (n == 6 || n == 7 || n == 9):
		return prefix{number, 4 * n}, true
	case !cut || n%2 != 0 || n < 6:
		return prefix{}, false
	}
	number <<= 48 - 4*n
	switch length {
	case "24":
		return prefix{number >> (48 - largeBits), largeBits}, true
	case "28":
		return prefix{number >> (48 - mediumBits), mediumBits}, true
	case "36":
		return prefix{number >> (48 - smallBits), smallBits}, true
	}
	return prefix{}, false
}
