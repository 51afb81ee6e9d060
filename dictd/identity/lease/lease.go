// SPDX-License-Identifier: MIT

package lease

import (
	"net/netip"
	"time"
)

// Lease is an address that a DHCP server has given to a client. Hostname is what
// the file says, which is what the client said: check it.
type Lease struct {
	Addr     netip.Addr
	MAC      [6]byte // zeros if the file does not tell
	Hostname string
	Expires  time.Time // zero: never
}
