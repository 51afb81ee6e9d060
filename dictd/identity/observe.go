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
	name  string
	agent string
}

// agentPause is the least time between two user agents of a host that are alike
// in rank: programs of one device take turns.
const agentPause = time.Minute

// Observe notes what a session tells of the client at an address: the name by
// which it calls itself, and its user agent, either of which may be empty. It
// does not wait: what comes too fast is counted and lost.
func (d *Directory) Observe(addr netip.Addr, name, agent string) {
	select {
	case d.evidence <- evidence{addr, name, agent}:
	default:
		d.missed.Add(1)
	}
}

// take takes evidence into account, of hosts that are known.
func (d *Directory) take(e evidence) {
	now := d.cfg.Clock()
	name := Hostname(e.name)
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[e.addr]
	if h == nil {
		return
	}
	if name != "" && h.names[fromClient] != name {
		h.names[fromClient] = name
		d.markDevice(h.device)
		d.touch()
	}
	if _, err := dict.StringValue(e.agent); err == nil && e.agent != "" && h.prefers(e.agent, now) {
		h.agent, h.agentAt = e.agent, now
		d.changed.hosts[h.addr] = struct{}{}
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
