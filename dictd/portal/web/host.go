// SPDX-License-Identifier: MIT

package web

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// here is the portal as a connection sees it.
type here struct {
	host string // in a URL: addresses of IPv6 have brackets
	base string // URL without a slash at its end
}

// hereOf says by which name the portal is reached over the connection of a request,
// and where its pages are.
func (s *Settings) hereOf(r *http.Request) here {
	host := s.Name
	if host == "" {
		host = localAddr(r).String()
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		host = "[" + host + "]"
	}
	scheme, port, usual := "http", s.HTTP, uint16(80)
	if s.HTTPS != 0 {
		scheme, port, usual = "https", s.HTTPS, 443
	}
	base := scheme + "://" + host
	if port != usual {
		base += ":" + strconv.Itoa(int(port))
	}
	return here{strings.ToLower(host), base}
}

// is reports whether a Host header names the portal. The port is not looked at:
// browsers leave it out or not, and nothing depends on it.
func (h here) is(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		if _, err := strconv.ParseUint(host[i+1:], 10, 16); err != nil {
			return false
		}
		host = host[:i]
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), h.host)
}

// localAddr is the gateway's address of a connection.
func localAddr(r *http.Request) netip.Addr {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return plain(a.AddrPort().Addr())
	}
	return netip.IPv4Unspecified()
}

// remoteAddr is the client's.
func remoteAddr(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(a.Addr())
}

// plain returns an address as the tables have it: no IPv4 in IPv6, no zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
