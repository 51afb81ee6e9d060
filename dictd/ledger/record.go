// SPDX-License-Identifier: MIT

package ledger

import (
	"net/netip"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// Record is a connection that is over.
type Record struct {
	Start       *time.Time        `json:"start,omitempty"` // nil where the kernel did not note it
	End         time.Time         `json:"end"`
	CtID        uint32            `json:"ct_id"`
	Zone        uint16            `json:"zone,omitempty"`
	Protocol    uint8             `json:"ip_protocol"`
	Client      netip.Addr        `json:"client_address"`
	ClientPort  uint16            `json:"client_port"`
	Server      netip.Addr        `json:"server_address"` // as the client called it
	ServerPort  uint16            `json:"server_port"`
	ServerNew   *netip.Addr       `json:"server_address_new,omitempty"` // who answered, if that is another
	MAC         string            `json:"mac_address,omitempty"`        // of the client
	User        string            `json:"username,omitempty"`
	Application string            `json:"application,omitempty"`
	Category    string            `json:"application_category,omitempty"`
	FromClient  conntrack.Counter `json:"from_client"`
	FromServer  conntrack.Counter `json:"from_server"`
	Estimated   bool              `json:"estimated,omitempty"` // its end was not heard of: it may have moved more
}

// newRecord describes a connection that ended now, or when f says.
func newRecord(c *conn, f *conntrack.Flow, now time.Time, who func(netip.Addr) Party) *Record {
	r := &Record{
		End: now.UTC(), CtID: c.id, Zone: c.zone, Protocol: c.orig.Proto, Client: c.orig.Src(), ClientPort: c.orig.SrcPort,
		Server: c.orig.Dst(), ServerPort: c.orig.DstPort, Application: c.label.Application, Category: c.label.Category,
		FromClient: c.billed[0], FromServer: c.billed[1], Estimated: c.estimated,
	}
	if c.start != 0 {
		at := time.Unix(0, int64(c.start)).UTC()
		r.Start = &at
	}
	if f != nil && f.Stop != 0 {
		r.End = time.Unix(0, int64(f.Stop)).UTC()
	}
	if c.server != r.Server {
		r.ServerNew = &c.server
	}
	p := who(r.Client)
	r.User = p.User
	if p.MAC != [6]byte{} {
		r.MAC = dict.EtherValue(p.MAC).String()
	}
	return r
}
