// SPDX-License-Identifier: MIT

package policy

import (
	"net/netip"
	"slices"

	"nftdict/dictd/rules"
	"nftdict/nftext/rule"
)

// Options of Build.
type Options struct {
	Interfaces []string       // names of those inside; none means no portal
	Priority   int32          // of the chains at forward and input
	HTTP       uint16         // the portal's port, to which connections to port 80 go
	HTTPS      uint16         // its other port, 0 if it has none
	Garden     []netip.Prefix // anybody may reach; none within another
	Named      bool           // sessions may be of the walled garden, too
	DNS        []netip.Prefix // servers that may be asked beside this machine; none within another
}

// Names of chains.
const (
	chainForward  = "portal.forward"
	chainRedirect = "portal.redirect"
	chainInput    = "portal.input"
	chainFrom     = "portal.from"
	chainTo       = "portal.to"
	chainAsk      = "portal.ask"
)

// Ports that anybody may mean.
const (
	portHTTP = 80
	portDNS  = 53
)

// Terms.
const (
	authenticated = " captive_portal_authenticated true"
	deviceIn      = "dict devices ether saddr" + authenticated
	garden        = "dict sessions ct id walled_garden true"
)

// Build returns the chains, nil if there are no interfaces.
func Build(o Options) *rules.Policy {
	if len(o.Interfaces) == 0 {
		return nil
	}
	from, to := rule.IIFName().Is(o.Interfaces...), rule.OIFName().Is(o.Interfaces...)
	chains := []rules.PolicyChain{
		{Name: chainFrom, Rules: o.from()},
		{Name: chainTo, Rules: o.to()},
		{Name: chainAsk, Rules: o.ask()},
		{Name: chainForward, Hook: rules.Forward, Rules: []rule.Rule{
			rule.New(from, rule.Jump(chainFrom)),
			rule.New(to, rule.Jump(chainTo)),
		}},
		{Name: chainRedirect, Hook: rules.Redirect, Rules: []rule.Rule{
			rule.New(from, rule.TCPDport().Is(portHTTP), rule.Jump(chainAsk)),
		}},
		{Name: chainInput, Hook: rules.Input, Rules: o.input()},
	}
	return &rules.Policy{Priority: o.Priority, Chains: chains}
}

// families are those of packets, with nft's words for the addresses at both ends.
var families = [...]struct {
	proto    rule.Family
	from, to string
}{{rule.IPv4, "ip saddr", "ip daddr"}, {rule.IPv6, "ip6 saddr", "ip6 daddr"}}

// letIn are the rules that return for packets of who is let in: the device that sent
// them, or, beyond a router, an address.
func letIn() []rule.Rule {
	rs := []rule.Rule{rule.New(rule.Dict(deviceIn), rule.Return())}
	for _, f := range families {
		host := "dict hosts " + f.from
		rs = append(rs, rule.New(rule.NFProto().Is(f.proto), rule.Dict(host+authenticated), rule.Dict(host+" mac_address missing"), rule.Return()))
	}
	return rs
}

// outside are the rules that return for packets of the walled garden: match makes the
// statement about its end of the packet.
func (o *Options) outside(match func(...netip.Prefix) rule.Statement, port func() rule.Statement) (rs []rule.Rule) {
	for _, ps := range byFamily(o.Garden) {
		rs = append(rs, rule.New(match(ps...), rule.Return()))
	}
	for _, ps := range byFamily(o.DNS) {
		for _, l4 := range []rule.Protocol{rule.UDP, rule.TCP} {
			rs = append(rs, rule.New(match(ps...), rule.L4Proto().Is(l4), port(), rule.Return()))
		}
	}
	if o.Named {
		rs = append(rs, rule.New(rule.Dict(garden), rule.Return()))
	}
	return rs
}

// complaints are the rules that return for what ICMP says of connections that anybody
// may have: those with the walled garden and with the servers of DNS.
func (o *Options) complaints() (rs []rule.Rule) {
	for _, prefixes := range [][]netip.Prefix{o.Garden, o.DNS} {
		for _, ps := range byFamily(prefixes) {
			l4, opened := rule.ICMP, rule.CtIPDaddr(rule.Original)
			if ps[0].Addr().Is6() {
				l4, opened = rule.ICMPv6, rule.CtIP6Daddr(rule.Original)
			}
			rs = append(rs, rule.New(rule.L4Proto().Is(l4), rule.CtState().Any(rule.StateRelated), opened.Among(ranges(ps)...), rule.Return()))
		}
	}
	if o.Named {
		for _, l4 := range []rule.Protocol{rule.ICMP, rule.ICMPv6} {
			rs = append(rs, rule.New(rule.L4Proto().Is(l4), rule.CtState().Any(rule.StateRelated), rule.Dict(garden), rule.Return()))
		}
	}
	return rs
}

// ranges returns prefixes as ranges.
func ranges(prefixes []netip.Prefix) (rs []rule.Range[netip.Addr]) {
	for _, p := range prefixes {
		last := p.Masked().Addr().AsSlice()
		for i := p.Bits(); i < 8*len(last); i++ {
			last[i/8] |= 0x80 >> (i % 8)
		}
		hi, _ := netip.AddrFromSlice(last)
		rs = append(rs, rule.Range[netip.Addr]{Lo: p.Masked().Addr(), Hi: hi})
	}
	return rs
}

// from are the rules for what comes from inside.
func (o *Options) from() []rule.Rule {
	return slices.Concat(letIn(), o.complaints(), o.outside(rule.To, func() rule.Statement { return rule.Dport().Is(portDNS) }), []rule.Rule{
		rule.New(rule.L4Proto().Is(rule.TCP), rule.Reject(rule.TCPReset)), // an open connection heeds nothing else
		rule.New(rule.Reject(rule.AdminProhibited)),
	})
}

// to are the rules for what goes inside. Of an address of which nothing is known yet
// its own packets decide, which come first: to ask who has it, an answer must get
// through.
func (o *Options) to() []rule.Rule {
	var rs, fresh []rule.Rule
	for _, f := range families {
		host := "dict hosts " + f.to
		rs = append(rs, rule.New(rule.NFProto().Is(f.proto), rule.Dict(host+authenticated), rule.Return()))
		fresh = append(fresh, rule.New(rule.NFProto().Is(f.proto), rule.Dict(host+" mac_address missing"), rule.Dict(host+" username missing"), rule.Return()))
	}
	return slices.Concat(rs, o.complaints(),
		[]rule.Rule{rule.New(rule.CtState().None(rule.StateEstablished), rule.Drop())},
		o.outside(rule.From, func() rule.Statement { return rule.Sport().Is(portDNS) }), fresh,
		[]rule.Rule{rule.New(rule.Drop())})
}

// ask are the rules for connections from inside to port 80.
func (o *Options) ask() []rule.Rule {
	rs := letIn()
	for _, ps := range byFamily(o.Garden) {
		rs = append(rs, rule.New(rule.To(ps...), rule.Return()))
	}
	if o.Named {
		rs = append(rs, rule.New(rule.Dict(garden), rule.Return()))
	}
	return append(rs, rule.New(rule.L4Proto().Is(rule.TCP), rule.RedirectTo(o.HTTP)))
}

// input are the rules that keep the portal's ports to those inside, and this machine.
func (o *Options) input() []rule.Rule {
	ports := []uint16{o.HTTP}
	if o.HTTPS != 0 {
		ports = append(ports, o.HTTPS)
	}
	return []rule.Rule{rule.New(rule.TCPDport().Is(ports...), rule.IIFName().Not(append([]string{"lo"}, o.Interfaces...)...), rule.Reject(rule.TCPReset))}
}

// byFamily returns prefixes by family, without a family that has none.
func byFamily(prefixes []netip.Prefix) (sorted [][]netip.Prefix) {
	for _, is6 := range []bool{false, true} {
		var of []netip.Prefix
		for _, p := range prefixes {
			if p.Addr().Is6() == is6 {
				of = append(of, p)
			}
		}
		if len(of) > 0 {
			sorted = append(sorted, of)
		}
	}
	return sorted
}
