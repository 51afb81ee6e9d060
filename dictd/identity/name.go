// SPDX-License-Identifier: MIT

package identity

import (
	"strings"

	"nftdict/dict"
	"nftdict/dictd/identity/overheard"
)

// Longest label and name, in bytes (RFC 1123).
const (
	maxLabel = 63
	maxName  = 253
)

// Hostname returns a name as it is kept: in lower case, without the last dot; or
// "" if it is no host name. Labels are letters, digits and hyphens, and the last
// one is no number, so that no name is an address. Of one longer than a value of
// a dictionary the host's own label stays.
func Hostname(name string) string {
	name = FullName(name)
	if len(name) > dict.MaxString {
		name, _, _ = strings.Cut(name, ".")
	}
	return name
}

// FullName is Hostname without its last rule: up to 253 bytes.
func FullName(name string) string {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > maxName {
		return ""
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return ""
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return ""
			}
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return ""
	}
	return strings.ToLower(name)
}

// Name is a name of a host, and where it comes from.
type Name struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

// Sources of names, beside what devices say on their link (overheard.Source).
const (
	byLeaseMAC  = "lease of the device"
	byLeaseAddr = "lease of the address"
	byReverse   = "reverse DNS"
	byBefore    = "an earlier run"
)

// eachName calls a function for the names of a device, the most trusted first, until
// it returns false.
func (d *Directory) eachName(v *device, f func(Name) bool) {
	yield := func(name, source string) bool { return name == "" || f(Name{name, source}) }
	if !yield(d.names.byMAC[v.mac], byLeaseMAC) {
		return
	}
	for _, h := range v.hosts {
		if !yield(d.leasedTo(h.addr, v.mac), byLeaseAddr) {
			return
		}
	}
	if said := d.said[v.mac]; said != nil {
		for s := range overheard.Sources {
			if !yield(said.names[s], s.String()) {
				return
			}
		}
	}
	for _, h := range v.hosts {
		if !yield(h.reverse, byReverse) {
			return
		}
	}
	for _, h := range v.hosts {
		if !yield(h.earlier, byBefore) {
			return
		}
	}
}

// deviceName returns the best name of a device, "" if it has none.
func (d *Directory) deviceName(v *device) (best string) {
	d.eachName(v, func(n Name) bool {
		best = n.Name
		return false
	})
	return best
}

// hostName returns the name of a host: its address's own, else its device's.
func (d *Directory) hostName(h *host) string {
	if name := d.leasedTo(h.addr, h.device.mac); name != "" {
		return name
	}
	return d.deviceName(h.device)
}

// askName has DNS asked for the name of a host's address. Only of addresses that
// sites give out themselves it is the host's: what a provider calls its customers'
// is no name of theirs.
func (d *Directory) askName(h *host) {
	if d.cfg.Names == nil || h.asking || !h.addr.IsGlobalUnicast() {
		return
	}
	addr := h.addr
	if name, known := d.cfg.Names.Name(addr); known {
		d.setReverse(h, name)
		return
	}
	h.asking = d.cfg.Names.Ask(addr, func(name string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if h := d.hosts[addr]; h != nil {
			h.asking = false
			d.setReverse(h, name)
		}
	})
}

// setReverse notes the name that DNS has for a host's address.
func (d *Directory) setReverse(h *host, name string) {
	if name = Hostname(name); h.addr.IsPrivate() && h.reverse != name {
		h.reverse = name
		d.markDevice(h.device)
		d.touch()
	}
}
