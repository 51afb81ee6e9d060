// SPDX-License-Identifier: MIT

package radius

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc6911"
)

// Kind is what an Account says.
type Kind int

// The kinds.
const (
	Start   Kind = iota // somebody is there
	Interim             // he still is
	Stop                // he is not there any more
	Restart             // nobody is: the client begins, or ends
)

// Account is what a client tells of somebody's session.
type Account struct {
	Kind    Kind
	By      string // the client, and what it calls itself
	Session string // what it calls the session
	User    string
	MAC     [6]byte      // of the device; zeros if that was not told
	Addrs   []netip.Addr // that it has
	Groups  []string
	Delay   time.Duration // since it was so
}

// Bounds of an Account.
const (
	maxText   = 128 // bytes of a name
	maxGroups = 32
	maxAddrs  = 16
	maxDelay  = 24 * time.Hour
)

// errUseless says that a message tells nothing that could be used.
var errUseless = errors.New("it tells of no session")

// readAccount reads an Accounting-Request of a client. groups are the attributes
// that name groups.
func readAccount(p *radius.Packet, from netip.Addr, groups []radius.Type) (Account, error) {
	a := Account{By: by(p, from)}
	switch rfc2866.AcctStatusType_Get(p) {
	case rfc2866.AcctStatusType_Value_Start:
		a.Kind = Start
	case rfc2866.AcctStatusType_Value_InterimUpdate:
		a.Kind = Interim
	case rfc2866.AcctStatusType_Value_Stop:
		a.Kind = Stop
	case rfc2866.AcctStatusType_Value_AccountingOn, rfc2866.AcctStatusType_Value_AccountingOff:
		a.Kind = Restart
		return a, nil
	default:
		return a, errUseless
	}
	if a.Session = text(rfc2866.AcctSessionID_Get(p)); a.Session == "" {
		return a, errUseless
	}
	if a.Kind == Stop {
		return a, nil
	}
	a.User, _ = name(rfc2865.UserName_GetString(p))
	a.MAC, _ = parseMAC(rfc2865.CallingStationID_GetString(p))
	a.Addrs = addresses(p)
	if a.User == "" || a.MAC == ([6]byte{}) && len(a.Addrs) == 0 {
		return a, errUseless
	}
	for _, t := range groups {
		for _, avp := range p.Attributes {
			if avp.Type != t || len(a.Groups) >= maxGroups {
				continue
			}
			if g, ok := name(string(avp.Attribute)); ok && !strings.Contains(g, ",") {
				a.Groups = append(a.Groups, g)
			}
		}
	}
	a.Delay = min(time.Duration(rfc2866.AcctDelayTime_Get(p))*time.Second, maxDelay)
	return a, nil
}

// by returns what a client is told apart by: where it comes from, and what it
// calls itself, as one may speak for several.
func by(p *radius.Packet, from netip.Addr) string {
	self := text(rfc2865.NASIdentifier_Get(p))
	if ip, err := rfc2865.NASIPAddress_Lookup(p); self == "" && err == nil {
		self = ip.String()
	}
	return short("radius "+from.String()+" ", self)
}

// short returns a text behind a prefix, and of one that is too long what it alone is
// told apart by.
func short(prefix, text string) string {
	if len(prefix)+len(text) <= maxText {
		return prefix + text
	}
	sum := sha256.Sum256([]byte(text))
	return prefix + hex.EncodeToString(sum[:])
}

// text returns bytes as text that can be printed, in hex if they cannot.
func text(b []byte) string {
	if s, ok := name(string(b)); ok {
		return s
	}
	return short("", hex.EncodeToString(b))
}

// name reports whether a text is a name, as identity.CheckUser has it, and returns
// it without space around.
func name(s string) (string, bool) {
	s = strings.TrimSpace(s)
	ok := s != "" && s != "." && s != ".." && len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	if !ok {
		return "", false
	}
	return s, true
}

// addresses returns the addresses that a session has been given.
func addresses(p *radius.Packet) (all []netip.Addr) {
	add := func(b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if a = a.Unmap(); ok && len(all) < maxAddrs && a.IsGlobalUnicast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 254}) { // "choose one"
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

// parseMAC reads a MAC as clients write them: six bytes in hex, with hyphens,
// colons, dots or nothing between, perhaps with the name of a network behind.
func parseMAC(s string) (mac [6]byte, ok bool) {
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
