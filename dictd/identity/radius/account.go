// SPDX-License-Identifier: MIT

package radius

import (
	"errors"
	"net/netip"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"nftdict/dictd/internal/radmsg"
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

// maxDelay bounds an Account's Delay.
const maxDelay = 24 * time.Hour

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
	if a.Session = radmsg.Text(rfc2866.AcctSessionID_Get(p)); a.Session == "" {
		return a, errUseless
	}
	if a.Kind == Stop {
		return a, nil
	}
	a.User, _ = radmsg.Name(rfc2865.UserName_GetString(p))
	a.MAC, _ = radmsg.MAC(rfc2865.CallingStationID_GetString(p))
	a.Addrs = radmsg.Addresses(p)
	if a.User == "" || a.MAC == ([6]byte{}) && len(a.Addrs) == 0 {
		return a, errUseless
	}
	a.Groups = radmsg.Groups(p, groups)
	a.Delay = min(time.Duration(rfc2866.AcctDelayTime_Get(p))*time.Second, maxDelay)
	return a, nil
}

// by returns what a client is told apart by: where it comes from, and what it
// calls itself, as one may speak for several.
func by(p *radius.Packet, from netip.Addr) string {
	self := radmsg.Text(rfc2865.NASIdentifier_Get(p))
	if ip, err := rfc2865.NASIPAddress_Lookup(p); self == "" && err == nil {
		self = ip.String()
	}
	return radmsg.Short("radius "+from.String()+" ", self)
}
