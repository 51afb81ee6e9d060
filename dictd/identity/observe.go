// SPDX-License-Identifier: MIT

package identity

import (
	"net/netip"
	"strings"
	"time"

	"nftdict/dict"
)

// evidence is what a session told of its client.
type evidence struct {
	addr  netip.Addr
	mac   [6]byte
	agent string
}

// agentPause is the least time between two user agents of a host that are alike
// in rank: programs of one device take turns.
const agentPause = time.Minute

// Observe notes what a session tells of the client at an address: its user agent.
// mac is who sent the packet; what another device says than the one that has the
// address is not believed. It does not wait: what comes too fast is counted and
// lost.
func (d *Directory) Observe(addr netip.Addr, mac [6]byte, agent string) {
	select {
	case d.evidence <- evidence{addr, mac, agent}:
	default:
		d.missed.Add(1)
	}
}

// take takes evidence into account, of hosts that are known.
func (d *Directory) take(e evidence) {
	now := d.cfg.Clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[e.addr]
	if h == nil || h.device.mac != e.mac {
		return
	}
	if _, err := dict.StringValue(e.agent); err == nil && e.agent != "" && h.prefers(e.agent, now) {
		h.agent, h.agentAt = e.agent, now
		d.markDevice(h.device)
		d.touch()
	}
}

// prefers reports whether a user agent should take the place of the one known:
// a browser's tells more of a device than a program's.
func (h *host) prefers(agent string, now time.Time) bool {
	if agent == h.agent {
		return false
	}
	was, is := strings.HasPrefix(h.agent, "Mozilla/"), strings.HasPrefix(agent, "Mozilla/")
	if was != is || h.agent == "" {
		return is || h.agent == ""
	}
	return now.Sub(h.agentAt) >= agentPause
}
