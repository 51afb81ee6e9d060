// SPDX-License-Identifier: MIT

package garden

import (
	"fmt"
	"net/netip"
	"strings"

	"nftdict/dict"
)

// Domains are those of a walled garden, with all below them. The zero value has none.
type Domains struct {
	names map[string]struct{}
}

// Parse reads domains such as "example.org". Errors wrap dict.ErrInvalid.
func Parse(texts []string) (*Domains, error) {
	d := &Domains{names: make(map[string]struct{}, len(texts))}
	for _, text := range texts {
		name := normal(text)
		if !IsHost(name) {
			return nil, fmt.Errorf("%s: %w: want a domain such as example.org, with its Unicode as xn--", dict.Quote(text), dict.ErrInvalid)
		}
		d.names[name] = struct{}{}
	}
	for _, probe := range probes {
		if within, ok := d.find(probe); ok {
			return nil, fmt.Errorf("%s: %w: systems ask %s whether they are online: who reaches it is shown no portal; name what else is wanted of %s",
				dict.Quote(within), dict.ErrInvalid, probe, within)
		}
	}
	return d, nil
}

// normal is how a name is compared.
func normal(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// Empty reports whether there are none.
func (d *Domains) Empty() bool { return d == nil || len(d.names) == 0 }

// Has reports whether a host is one of the domains, or below one.
func (d *Domains) Has(host string) bool {
	if d.Empty() {
		return false
	}
	_, ok := d.find(normal(host))
	return ok
}

// find returns the domain that a name, as normal makes it, is within.
func (d *Domains) find(name string) (string, bool) {
	for {
		if _, ok := d.names[name]; ok {
			return name, true
		}
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			return "", false
		}
		name = rest
	}
}

// IsHost reports whether text is a host's name, of the letters that DNS has.
func IsHost(text string) bool {
	if text == "" || len(text) > 253 {
		return false
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
