// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
)

// Addresses of the topology. The hosts' link-layer addresses are known too,
// for rules about devices.
var (
	Client4   = netip.MustParseAddr("192.168.77.2")
	Client6   = netip.MustParseAddr("fd77::2")
	Guest4    = netip.MustParseAddr("192.168.78.2")
	Guest6    = netip.MustParseAddr("fd78::2")
	Internet4 = netip.MustParseAddr("192.0.2.2")
	Internet6 = netip.MustParseAddr("2001:db8::2")
	DNS4      = netip.MustParseAddr("192.0.2.53")
	DNS6      = netip.MustParseAddr("2001:db8::53")

	// GatewayLAN4, GatewayLAN6 face the client, GatewayWAN4 and GatewayWAN6
	// the internet; the guest's side is GatewayGuest4 and GatewayGuest6.
	GatewayLAN4   = netip.MustParseAddr("192.168.77.1")
	GatewayLAN6   = netip.MustParseAddr("fd77::1")
	GatewayGuest4 = netip.MustParseAddr("192.168.78.1")
	GatewayGuest6 = netip.MustParseAddr("fd78::1")
	GatewayWAN4   = netip.MustParseAddr("192.0.2.1")
	GatewayWAN6   = netip.MustParseAddr("2001:db8::1")
)

// Link-layer addresses of client, guest and the gateway's interface lan0.
const (
	ClientMAC  = "02:00:00:00:77:02"
	GuestMAC   = "02:00:00:00:78:02"
	GatewayMAC = "02:00:00:00:77:01"
)

// wire lays the links, addresses and routes, and lets the gateway forward.
func (l *Lab) wire(_ context.Context, conf Config) error {
	for _, s := range [][2]string{
		{"net.ipv4.ip_forward", "1"},
		{"net.ipv6.conf.all.forwarding", "1"},
		{"net.ipv6.conf.default.forwarding", "1"},
	} {
		if err := l.Gateway.Sysctl(s[0], s[1]); err != nil {
			return err
		}
	}
	// Present where the kernel has connection tracking with accounting.
	err := l.Gateway.Sysctl("net.netfilter.nf_conntrack_acct", "1")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}

	links := [][2]end{{
		{l.Gateway, "wan0", nil, nets(GatewayWAN4, GatewayWAN6)},
		{l.Internet, "eth0", nil, nets(Internet4, Internet6, DNS4, DNS6)},
	}, {
		{l.Gateway, "lan0", mac(GatewayMAC), nets(GatewayLAN4, GatewayLAN6)},
		{l.Client, "eth0", mac(ClientMAC), nets(Client4, Client6)},
	}}
	if conf.Guest {
		links = append(links, [2]end{
			{l.Gateway, "lan1", nil, nets(GatewayGuest4, GatewayGuest6)},
			{l.Guest, "eth0", mac(GuestMAC), nets(Guest4, Guest6)},
		})
	}
	for _, ends := range links {
		if err := connect(ends[0], ends[1]); err != nil {
			return err
		}
	}
	for _, ends := range links {
		if err := errors.Join(ends[0].settle(), ends[1].settle()); err != nil {
			return err
		}
	}

	type hop struct {
		at  *Namespace
		via []netip.Addr
	}
	hops := []hop{
		{l.Client, []netip.Addr{GatewayLAN4, GatewayLAN6}},
		{l.Gateway, []netip.Addr{Internet4, Internet6}},
		{l.Internet, []netip.Addr{GatewayWAN4, GatewayWAN6}},
	}
	if conf.Guest {
		hops = append(hops, hop{l.Guest, []netip.Addr{GatewayGuest4, GatewayGuest6}})
	}
	for _, h := range hops {
		for _, via := range h.via {
			if err := route(h.at, netip.Prefix{}, via); err != nil {
				return err
			}
		}
	}
	return l.placeSites()
}

// placeSites gives the internet the addresses of its sites.
func (l *Lab) placeSites() error {
	h, err := l.Internet.Netlink()
	if err != nil {
		return fmt.Errorf("netlink in internet: %w", err)
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("link lo in internet: %w", err)
	}
	placed := map[netip.Addr]bool{Internet4: true, Internet6: true, DNS4: true, DNS6: true}
	for _, s := range l.Sites {
		for _, a := range []netip.Addr{s.Addr4, s.Addr6} {
			if placed[a] { // names may share an address
				continue
			}
			placed[a] = true
			if err := addAddrs(h, lo, netip.PrefixFrom(a, a.BitLen())); err != nil {
				return fmt.Errorf("site %q: %w", s.Name, err)
			}
		}
	}
	return nil
}

// nets gives each address the size of its link's network.
func nets(addrs ...netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, len(addrs))
	for i, a := range addrs {
		bits := 24
		if a.Is6() {
			bits = 64
		}
		out[i] = netip.PrefixFrom(a, bits)
	}
	return out
}

// mac parses one of the constants above.
func mac(s string) net.HardwareAddr {
	hw, err := net.ParseMAC(s)
	if err != nil {
		panic(fmt.Sprintf("lab: link-layer address %q: %v", s, err))
	}
	return hw
}
