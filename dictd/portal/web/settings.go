// SPDX-License-Identifier: MIT

package web

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"nftdict/dict"
)

// Settings say what the pages are like.
type Settings struct {
	// Name is the portal's own, a host name or an address. Without it the portal has the
	// address of the gateway at which a client arrives.
	Name string `json:"name,omitempty"`
	// HTTP and HTTPS are the ports as clients see them. HTTPS is 0 where there is none.
	HTTP  uint16 `json:"http"`
	HTTPS uint16 `json:"https,omitempty"`
	// Known says that browsers trust the certificate: they are told to come by HTTPS alone.
	Known bool `json:"known,omitempty"`
	// VenueName is what the place is called, VenueURL where one reads about it (HTTPS).
	VenueName string `json:"venue_name,omitempty"`
	VenueURL  string `json:"venue_url,omitempty"`
	// Continue is where a page leads who is in; "" is nowhere.
	Continue string `json:"continue,omitempty"`
	// Languages are those offered, the first for who speaks none of them; none: all
	// that there are, English first.
	Languages []string `json:"languages,omitempty"`
	// Theme are files that replace some of the built-in one.
	Theme Theme `json:"theme,omitempty"`
	// Key signs forms: 32 bytes.
	Key []byte `json:"key"`
}

// Check refuses what cannot work, the theme apart. Errors wrap dict.ErrInvalid.
func (s *Settings) Check() error {
	var errs []error
	bad := func(what, value, want string) {
		errs = append(errs, fmt.Errorf("%s %s: %w: want %s", what, dict.Quote(value), dict.ErrInvalid, want))
	}
	if s.Name != "" && !validHost(s.Name) {
		bad("name", s.Name, "a host name or an address, without a port")
	}
	if s.VenueURL != "" && !validURL(s.VenueURL, "https") {
		bad("venue_url", s.VenueURL, "https://HOST/...")
	}
	if s.Continue != "" && !validURL(s.Continue, "https", "http") {
		bad("continue_url", s.Continue, "https://HOST/... or http://HOST/...")
	}
	if s.HTTP == 0 {
		bad("http", "0", "a port")
	}
	return errors.Join(errs...)
}

// validHost reports whether text is a host name, or an address without a zone.
func validHost(text string) bool {
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Zone() == ""
	}
	if len(text) > 253 {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// validURL reports whether text is an absolute URL of one of the schemes, without
// somebody's name in it.
func validURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	for _, s := range schemes {
		if u.Scheme == s {
			return true
		}
	}
	return false
}
