// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// TupleOf returns the original tuple that a row of sessions tells, false if it
// does not tell all of it.
func TupleOf(r *dict.Row) (conntrack.Tuple, bool) {
	complete := true
	get := func(field string) dict.Value {
		v, ok := r.Get(field)
		complete = complete && ok
		return v
	}
	client := netip.AddrPortFrom(get("client_address").Addr(), uint16(get("client_port").Int64()))
	server := netip.AddrPortFrom(get("server_address").Addr(), uint16(get("server_port").Int64()))
	proto := uint8(get("ip_protocol").Int64())
	if !complete || client.Addr().Is4() != server.Addr().Is4() {
		return conntrack.Tuple{}, false
	}
	return conntrack.NewTuple(proto, client, server), true
}
