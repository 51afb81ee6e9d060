// SPDX-License-Identifier: MIT

package radius

import (
	"net/netip"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc3576"

	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/portal"
)

// selection says which sessions a request means: those that all of it fits (RFC 5176,
// 3).
type selection struct {
	id, user string
	mac      *[6]byte
	addrs    []netip.Addr
}

// readSelection reads it. A request that names no session means none.
func readSelection(p *radius.Packet) (s selection, cause rfc3576.ErrorCause) {
	if v, there := p.Lookup(rfc2866.AcctSessionID_Type); there {
		s.id = radius.String(v)
	}
	if v, there := p.Lookup(rfc2865.UserName_Type); there {
		name, ok := radmsg.Name(radius.String(v))
		if !ok {
			return s, invalidValue
		}
		s.user = name
	}
	if v, there := p.Lookup(rfc2865.CallingStationID_Type); there {
		mac, ok := radmsg.MAC(radius.String(v))
		if !ok {
			return s, invalidValue
		}
		s.mac = &mac
	}
	s.addrs = radmsg.Addresses(p)
	if s.id == "" && s.user == "" && s.mac == nil && len(s.addrs) == 0 {
		return s, rfc3576.ErrorCause_Value_MissingAttribute
	}
	return s, 0
}

func (s *selection) has(one *portal.Session) bool {
	if s.id != "" && s.id != one.ID || s.user != "" && s.user != one.User || s.mac != nil && *s.mac != one.MAC {
		return false
	}
	for _, a := range s.addrs {
		if a != one.Addr {
			return false
		}
	}
	return true
}
