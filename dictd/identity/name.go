// SPDX-License-Identifier: MIT

package identity

import (
	"strings"

	"nftdict/dict"
)

// source is where a device's name comes from.
type source int

// Sources of what is said of a device at an address, the best first. Leases,
// which win over them, are kept apart: they may be there before the device is.
const (
	fromClient source = iota // the client called itself so
	fromBefore               // an earlier run wrote it
	sources
)

// Longest label and name, in bytes (RFC 1123).
const (
	maxLabel = 63
	maxName  = 253
)

// Hostname returns a name as it is kept: in lower case, without the last dot; or
// "" if it is no host name. Labels are letters, digits and hyphens, and the last
// one is no number, so that no name is an address.
func Hostname(name string) string {
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
	name = strings.ToLower(name)
	if len(name) > dict.MaxString { // no value of a dictionary: the host's own label is
		return strings.ToLower(labels[0])
	}
	return name
}

// deviceName returns the best name of a device, "" if it has none.
func (d *Directory) deviceName(v *device) string {
	if name := d.names.byMAC[v.mac]; name != "" {
		return name
	}
	for _, h := range v.hosts {
		if name := d.names.byAddr[h.addr]; name != "" {
			return name
		}
	}
	for s := range sources {
		for _, h := range v.hosts {
			if h.names[s] != "" {
				return h.names[s]
			}
		}
	}
	return ""
}

// hostName returns the name of a host: its address's own, else its device's.
func (d *Directory) hostName(h *host) string {
	if name := d.names.byAddr[h.addr]; name != "" {
		return name
	}
	return d.deviceName(h.device)
}
