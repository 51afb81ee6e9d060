// SPDX-License-Identifier: MIT

package dictd

import (
	"nftdict/dictd/ledger"
	"nftdict/dictd/portal"
)

// traffic is a ledger as portal.Traffic.
type traffic struct{ *ledger.Ledger }

var _ portal.Traffic = traffic{}

func (t traffic) Moved(mac [6]byte) portal.Figures {
	u := t.Ledger.Moved(mac)
	return portal.Figures{BytesIn: u.Out.Bytes, BytesOut: u.In.Bytes, PacketsIn: u.Out.Packets, PacketsOut: u.In.Packets}
}

// portalTraffic returns what tells the portal what devices move, nil where nothing is
// counted.
func (d *Daemon) portalTraffic() portal.Traffic {
	if d.account.Ledger == nil {
		return nil
	}
	return traffic{d.account.Ledger}
}
