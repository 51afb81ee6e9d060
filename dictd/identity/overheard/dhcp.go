// SPDX-License-Identifier: MIT

package overheard

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// Places in a DHCP message (RFC 2131).
const (
	dhcpRelay   = 24 // address of the relay
	dhcpClient  = 28 // hardware address
	dhcpMagic   = 236
	dhcpOptions = 240
)

// maxOptions is the most options of a list that are kept.
const maxOptions = 40

// dhcp reads what a client asks a server.
func (m *Message) dhcp(b []byte) bool {
	if len(b) < dhcpOptions || b[0] != 1 || b[1] != 1 || b[2] != 6 || binary.BigEndian.Uint32(b[dhcpMagic:]) != 0x63825363 {
		return false
	}
	if [6]byte(b[dhcpClient:]) != m.MAC || binary.BigEndian.Uint32(b[dhcpRelay:]) != 0 { // another's
		return false
	}
	host, full := "", ""
	for b = b[dhcpOptions:]; len(b) > 0 && b[0] != 255; {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return false
		}
		v := b[2 : 2+int(b[1])]
		switch b[0] {
		case 12:
			host = clean(string(v))
		case 55:
			m.Options = list(v)
		case 60:
			m.Class = clean(string(v))
		case 81: // flags, two results, name: as DNS has it, or as text
			if len(v) > 3 && v[0]&4 != 0 {
				full = wireName(v[3:])
			} else if len(v) > 3 {
				full = clean(string(v[3:]))
			}
		}
		b = b[2+int(b[1]):]
	}
	if host == "" {
		host = full
	}
	if host != "" {
		m.Names = []Named{{Name: host}}
	}
	return true
}

// list writes numbers of options with commas between.
func list(v []byte) string {
	var s strings.Builder
	for i, n := range v[:min(len(v), maxOptions)] {
		if i > 0 {
			s.WriteByte(',')
		}
		s.WriteString(strconv.Itoa(int(n)))
	}
	return s.String()
}

// wireName reads a name of labels with their lengths before, which need not end
// in the root; "" if it is none.
func wireName(b []byte) string {
	var labels []string
	for len(b) > 0 && b[0] != 0 {
		n := int(b[0])
		if n > 63 || 1+n > len(b) {
			return ""
		}
		labels = append(labels, string(b[1:1+n]))
		b = b[1+n:]
	}
	return clean(strings.Join(labels, "."))
}

// Options of DHCPv6 (RFC 8415, RFC 4704).
const (
	v6Class = 16
	v6Name  = 39
)

// dhcpv6 reads what a client asks servers; what relays pass on is others'.
func (m *Message) dhcpv6(b []byte) bool {
	if len(b) < 4 || b[0] == 0 || b[0] > 11 {
		return false
	}
	for b = b[4:]; len(b) > 0; {
		if len(b) < 4 {
			return false
		}
		kind, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if 4+size > len(b) {
			return false
		}
		v := b[4 : 4+size]
		switch {
		case kind == v6Name && len(v) > 1:
			if name := wireName(v[1:]); name != "" {
				m.Names = []Named{{Name: name}}
			}
		case kind == v6Class && len(v) > 6: // enterprise, then texts with their lengths
			if n := int(binary.BigEndian.Uint16(v[4:])); n <= len(v)-6 {
				m.Class = clean(string(v[6 : 6+n]))
			}
		}
		b = b[4+size:]
	}
	return true
}
