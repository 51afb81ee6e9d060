// SPDX-License-Identifier: MIT

package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Site is one name on the lab's internet. Every site answers on every port
// that the internet serves; see Config for the list.
type Site struct {
	// Name is the host name, lower case, without the final dot.
	Name string
	// CNAME, if set, is the name that DNS gives as the canonical one.
	CNAME string
	// Addr4 and Addr6 are the site's own addresses. New assigns those that
	// are not set, out of 198.51.100.0/24 and 2001:db8:100::/64.
	Addr4, Addr6 netip.Addr
}

// Names of the sites that offer more than the web: an SSH banner on port 22
// and NTP on port 123 answer at every lab.
const (
	SSHSite = "ssh.example.org"
	NTPSite = "ntp.example.org"
)

// DefaultSites returns the sites of a lab that was asked for none: well-known
// services, names nobody knows, and names that only look like a service's.
func DefaultSites() []Site {
	return []Site{
		{Name: "netflix.com"},
		{Name: "www.netflix.com", CNAME: "www.geo.netflix.com"},
		{Name: "www.youtube.com", CNAME: "youtube-ui.l.google.com"},
		{Name: "www.google.com"},
		{Name: "www.facebook.com", CNAME: "star-mini.c10r.facebook.com"},
		{Name: "web.whatsapp.com"},
		{Name: "en.wikipedia.org"},
		{Name: "example.org"},
		{Name: "www.example.com"},
		{Name: "notnetflix.com"},
		{Name: "netflix.com.example.net"},
	}
}

// Where sites without addresses of their own live.
var (
	sites4 = netip.MustParsePrefix("198.51.100.0/24")
	sites6 = netip.MustParsePrefix("2001:db8:100::/64")
)

// firstSite is the host part of the first assigned address.
const firstSite = 10

// assign returns the sites, with the service sites added, all with addresses.
func assign(sites []Site) ([]Site, error) {
	all := make([]Site, 0, len(sites)+2)
	seen := map[string]bool{}
	add := func(s Site) error {
		s.Name = strings.TrimSuffix(strings.ToLower(s.Name), ".")
		if _, ok := dns.IsDomainName(s.Name); !ok || s.Name == "" {
			return fmt.Errorf("site %q: not a domain name", s.Name)
		}
		if seen[s.Name] {
			return fmt.Errorf("site %q: named twice", s.Name)
		}
		seen[s.Name] = true
		host := firstSite + len(all)
		if host > 254 {
			return fmt.Errorf("site %q: more sites than addresses", s.Name)
		}
		if !s.Addr4.IsValid() {
			b := sites4.Addr().As4()
			b[3] = byte(host)
			s.Addr4 = netip.AddrFrom4(b)
		}
		if !s.Addr6.IsValid() {
			b := sites6.Addr().As16()
			b[15] = byte(host)
			s.Addr6 = netip.AddrFrom16(b)
		}
		if !s.Addr4.Is4() || !s.Addr6.Is6() || s.Addr6.Is4In6() {
			return fmt.Errorf("site %q: addresses %s and %s: want one IPv4 and one IPv6", s.Name, s.Addr4, s.Addr6)
		}
		all = append(all, s)
		return nil
	}
	var errs []error
	for _, s := range sites {
		errs = append(errs, add(s))
	}
	for _, name := range []string{SSHSite, NTPSite} {
		if !seen[name] {
			errs = append(errs, add(Site{Name: name}))
		}
	}
	return all, errors.Join(errs...)
}
