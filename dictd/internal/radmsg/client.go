// SPDX-License-Identifier: MIT

package radmsg

import "net/netip"

// Client is who may tell, and the secret that it shares with the server.
type Client struct {
	Prefix netip.Prefix // the addresses it comes from
	Secret []byte
}

// Clients are all who may tell.
type Clients []Client

// Secret returns the secret of whoever has an address, by the longest prefix;
// nil if nobody does.
func (c Clients) Secret(addr netip.Addr) (secret []byte) {
	best := -1
	for _, one := range c {
		if one.Prefix.Contains(addr) && one.Prefix.Bits() > best {
			best, secret = one.Prefix.Bits(), one.Secret
		}
	}
	return secret
}
