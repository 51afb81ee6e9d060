// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// TProxy gives packets to a transparent socket of this machine that listens at
// an address, a port or both, in filter chains at prerouting. The zero Addr is
// the packet's own. It goes on with the rule: a mark that routes the packet to
// this machine, and accept, belong behind it.
type TProxy struct {
	Addr netip.Addr
	Port uint16
}

// String returns the statement as nft writes it.
func (t TProxy) String() string {
	s := natStatement{"tproxy", prerouting, NAT{Addr: t.Addr, Port: t.Port}}
	text := "tproxy"
	if f := s.family(); f != 0 {
		text += " " + nftext.FamilyWord(f)
	}
	to := s.target()
	if t.Addr.Is6() && t.Port == 0 {
		to = "[" + to + "]"
	}
	return text + " to " + to
}

func (t TProxy) remedy() string {
	return "tproxy needs " + needs(nftables.ChainTypeFilter, prerouting) + " and a kernel with CONFIG_NFT_TPROXY"
}

func (t TProxy) build(b *builder) error {
	if !t.Addr.IsValid() && t.Port == 0 {
		return fmt.Errorf("%w: it names neither an address nor a port", dict.ErrInvalid)
	}
	if err := b.families(unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_INET); err != nil {
		return err
	}
	if err := b.at(nftables.ChainTypeFilter, prerouting); err != nil {
		return err
	}
	if err := b.transport(); err != nil {
		return err
	}
	e := &expr.TProxy{TableFamily: b.family, Family: b.family}
	if b.family == unix.NFPROTO_INET {
		e.Family = 0 // both
	}
	next := uint32(reg1)
	if t.Addr.IsValid() {
		e.Family = unix.NFPROTO_IPV4
		if t.Addr.Is6() {
			e.Family = unix.NFPROTO_IPV6
		}
		if b.l3 != 0 && b.l3 != e.Family {
			return fmt.Errorf("%w: the packets here are %s", dict.ErrInvalid, nftext.FamilyWord(b.l3))
		}
		e.RegAddr = next
		b.immediate(next, t.Addr.AsSlice())
		next++
	}
	if t.Port != 0 {
		e.RegPort = next
		b.immediate(next, port(t.Port))
	}
	b.tproxy(e)
	return nil
}

// tproxy appends the expression; google/nftables always writes a port.
func (b *builder) tproxy(e *expr.TProxy) {
	b.raw("tproxy", func(a *netlink.AttributeEncoder) {
		a.Uint32(expr.NFTA_TPROXY_FAMILY, uint32(e.Family))
		if e.RegAddr != 0 {
			a.Uint32(expr.NFTA_TPROXY_REG_ADDR, e.RegAddr)
		}
		if e.RegPort != 0 {
			a.Uint32(expr.NFTA_TPROXY_REG_PORT, e.RegPort)
		}
	})
}
