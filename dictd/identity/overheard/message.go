// SPDX-License-Identifier: MIT

package overheard

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source is a protocol by which a device names itself, the most trusted first.
type Source int

// The sources. Sources is how many there are.
const (
	DHCP Source = iota
	MDNS
	NetBIOS
	LLMNR
	Sources
)

// String returns the protocol's name.
func (s Source) String() string {
	return [...]string{"DHCP", "mDNS", "NetBIOS", "LLMNR"}[s]
}

// Message is what a device said of itself.
type Message struct {
	Source   Source
	MAC      [6]byte    // of the device, in the order of the wire
	From     netip.Addr // its address; not valid while it has none
	Names    []Named
	Services []Service
	Class    string // vendor class of DHCP
	Options  string // that it asks DHCP for, in its order, "1,3,6"
}

// Named is a name, and the address it was said to have; not valid if none was
// told. Names are as they were said, without ".local": check them.
type Named struct {
	Name string
	Addr netip.Addr
}

// Service is something that a device offers.
type Service struct {
	Type   string // "_ipp._tcp", in lower case
	Target string // name of the host that offers it, "" if it was not told
	Model  string // of the device, "" if it was not told
}

// maxText is the most bytes of a text.
const maxText = 128

// clean returns text without space at its ends, "" if it is not to be shown.
func clean(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return text
}
