// SPDX-License-Identifier: MIT

package operator

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy lets the page load what it brings, from where it is, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect sets what all answers say to browsers.
func (s *Server) protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if s.cert != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// knows reports whether a host is this page's: an address, this machine, or what the
// certificate is for. A name that somebody else has pointed here is not.
func (s *Server) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	if s.cert == nil {
		return false
	}
	pair, err := s.cert.get(nil)
	return err == nil && pair.Leaf != nil && pair.Leaf.VerifyHostname(host) == nil
}

// sameSite reports whether a browser says that the page itself asks, or its user.
func sameSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return false
}

// from returns the address of who asks.
func from(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
