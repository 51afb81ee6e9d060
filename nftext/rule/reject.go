// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Refusal is what a rejected sender is told.
type Refusal uint8

// The refusals: ICMPX ones for both families, those of ICMP and of ICMPv6 for
// one, TCPReset for TCP. An established TCP connection pays no heed to any but
// TCPReset.
const (
	PortUnreachable Refusal = iota // icmpx, what reject says without a word
	AdminProhibited                // icmpx
	NoRoute                        // icmpx
	HostUnreachable                // icmpx
	TCPReset
	ICMPNetUnreachable
	ICMPHostUnreachable
	ICMPProtUnreachable
	ICMPPortUnreachable
	ICMPNetProhibited
	ICMPHostProhibited
	ICMPAdminProhibited
	ICMPv6NoRoute
	ICMPv6AdminProhibited
	ICMPv6AddrUnreachable
	ICMPv6PortUnreachable
	ICMPv6PolicyFail
	ICMPv6RejectRoute
	refusals // how many there are
)

// refusalForm is a Refusal for nft and for the kernel.
type refusalForm struct {
	text   string
	family Family // 0 is both
	typ    uint32
	code   uint8
}

func (r Refusal) form() refusalForm {
	return [refusals]refusalForm{
		PortUnreachable: {"icmpx port-unreachable", 0, unix.NFT_REJECT_ICMPX_UNREACH, unix.NFT_REJECT_ICMPX_PORT_UNREACH},
		AdminProhibited: {"icmpx admin-prohibited", 0, unix.NFT_REJECT_ICMPX_UNREACH, unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED},
		NoRoute:         {"icmpx no-route", 0, unix.NFT_REJECT_ICMPX_UNREACH, unix.NFT_REJECT_ICMPX_NO_ROUTE},
		HostUnreachable: {"icmpx host-unreachable", 0, unix.NFT_REJECT_ICMPX_UNREACH, unix.NFT_REJECT_ICMPX_HOST_UNREACH},
		TCPReset:        {"tcp reset", 0, unix.NFT_REJECT_TCP_RST, 0},

		ICMPNetUnreachable:  {"icmp net-unreachable", IPv4, unix.NFT_REJECT_ICMP_UNREACH, 0},
		ICMPHostUnreachable: {"icmp host-unreachable", IPv4, unix.NFT_REJECT_ICMP_UNREACH, 1},
		ICMPProtUnreachable: {"icmp prot-unreachable", IPv4, unix.NFT_REJECT_ICMP_UNREACH, 2},
		ICMPPortUnreachable: {"icmp port-unreachable", IPv4, unix.NFT_REJECT_ICMP_UNREACH, 3},
		ICMPNetProhibited:   {"icmp net-prohibited", IPv4, unix.NFT_REJECT_ICMP_UNREACH, 9},
		ICMPHostProhibited:  {"icmp host-prohibited", IPv4, unix.NFT_REJECT_ICMP_UNREACH, 10},
		ICMPAdminProhibited: {"icmp admin-prohibited", IPv4, unix.NFT_REJECT_ICMP_UNREACH, 13},

		ICMPv6NoRoute:         {"icmpv6 no-route", IPv6, unix.NFT_REJECT_ICMP_UNREACH, 0},
		ICMPv6AdminProhibited: {"icmpv6 admin-prohibited", IPv6, unix.NFT_REJECT_ICMP_UNREACH, 1},
		ICMPv6AddrUnreachable: {"icmpv6 addr-unreachable", IPv6, unix.NFT_REJECT_ICMP_UNREACH, 3},
		ICMPv6PortUnreachable: {"icmpv6 port-unreachable", IPv6, unix.NFT_REJECT_ICMP_UNREACH, 4},
		ICMPv6PolicyFail:      {"icmpv6 policy-fail", IPv6, unix.NFT_REJECT_ICMP_UNREACH, 5},
		ICMPv6RejectRoute:     {"icmpv6 reject-route", IPv6, unix.NFT_REJECT_ICMP_UNREACH, 6},
	}[r]
}

// String returns the refusal as nft writes it.
func (r Refusal) String() string {
	if r >= refusals {
		return decimal(r)
	}
	return r.form().text
}

// Reject makes an end of the packet and tells its sender so, in chains at input,
// forward, output and prerouting.
func Reject(with Refusal) Statement {
	text := "reject"
	if with != PortUnreachable {
		text += " with " + with.String()
	}
	return statement{text: text, help: "reject stands at input, forward, output and prerouting", make: func(b *builder) error {
		if with >= refusals {
			return fmt.Errorf("%w: no such refusal", dict.ErrInvalid)
		}
		if err := b.families(unix.NFPROTO_INET, unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_BRIDGE, unix.NFPROTO_NETDEV); err != nil {
			return err
		}
		if err := b.at("", input|forward|output|prerouting|ingress); err != nil {
			return err
		}
		f := with.form()
		if err := b.needFamily(uint8(f.family)); err != nil {
			return err
		}
		if with == TCPReset {
			if err := b.needProtocol(uint8(TCP)); err != nil {
				return err
			}
		}
		// A table of one family has no codes for both.
		switch {
		case f.typ == unix.NFT_REJECT_ICMPX_UNREACH && b.family == unix.NFPROTO_IPV4:
			f.typ, f.code = unix.NFT_REJECT_ICMP_UNREACH, [...]uint8{0, 3, 1, 13}[f.code]
		case f.typ == unix.NFT_REJECT_ICMPX_UNREACH && b.family == unix.NFPROTO_IPV6:
			f.typ, f.code = unix.NFT_REJECT_ICMP_UNREACH, [...]uint8{0, 4, 3, 1}[f.code]
		}
		b.add(&expr.Reject{Type: f.typ, Code: f.code})
		b.ends(text)
		return nil
	}}
}
