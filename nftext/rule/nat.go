// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// NAT is what an address translation turns addresses and ports into. The zero
// value leaves both to the kernel, which masquerade and redirect alone can.
type NAT struct {
	Addr, AddrEnd netip.Addr // one address, or the first and last of several
	Port, PortEnd uint16     // one port, or the first and last of several; 0 is none

	// Prefix, in place of Addr, is what the network part of an address becomes; the
	// rest of it stays.
	Prefix netip.Prefix

	// From, in place of Addr, yields the address: a map, or a dictionary's field.
	// Where it yields none the rule ends.
	From Value

	Random      bool // spread over the ports
	FullyRandom bool // by a generator of random numbers, not by a hash
	Persistent  bool // the same address for each client
}

// natStatement is a NAT with the statement that does it.
type natStatement struct {
	word  string
	where hook
	NAT
}

// DNAT changes where connections go, in nat chains at prerouting and output.
func DNAT(to NAT) Statement { return natStatement{"dnat", prerouting | output, to} }

// DNATTo is DNAT to an address, and to a port of it if that is not 0.
func DNATTo(addr netip.Addr, port uint16) Statement { return DNAT(NAT{Addr: addr, Port: port}) }

// SNAT changes where connections come from, in nat chains at postrouting and
// input.
func SNAT(to NAT) Statement { return natStatement{"snat", postrouting | input, to} }

// Masquerade is SNAT to the address of the interface that the packet leaves by,
// in nat chains at postrouting. The NAT has no address.
func Masquerade(to NAT) Statement { return natStatement{"masquerade", postrouting, to} }

// Redirect is DNAT to this machine, in nat chains at prerouting and output. The
// NAT has no address.
func Redirect(to NAT) Statement { return natStatement{"redirect", prerouting | output, to} }

// RedirectTo is Redirect to a port.
func RedirectTo(port uint16) Statement { return Redirect(NAT{Port: port}) }

func (s natStatement) translates() bool { return s.word == "dnat" || s.word == "snat" }

// String returns the statement as nft writes it.
func (s natStatement) String() string {
	text := s.word
	to := s.target()
	if to != "" {
		text += s.familyText()
		if s.Prefix.IsValid() {
			text += " prefix"
		}
		text += " to " + to
	}
	if f := s.flagWords(); f != "" {
		text += " " + f
	}
	return text
}

// yields are the types that a value is made of: an address, and a port if there
// is one.
func yields(v Value) []nftables.SetDatatype {
	t := v.dataType()
	if parts := nftables.ConcatSetTypeElements(t); len(parts) > 1 {
		return parts
	}
	return []nftables.SetDatatype{t}
}

// familyText is the family's word in tables that have several.
func (s natStatement) familyText() string {
	if !s.translates() || s.family() == 0 {
		return ""
	}
	return " " + nftext.FamilyWord(s.family())
}

func (s natStatement) target() string {
	var text string
	switch {
	case s.From != nil:
		text = s.From.String()
	case s.Prefix.IsValid():
		text = s.Prefix.Masked().String()
	case s.Addr.IsValid():
		one := func(a netip.Addr) string {
			if a.Is6() && s.Port != 0 {
				return "[" + a.String() + "]"
			}
			return a.String()
		}
		text = one(s.Addr)
		if s.AddrEnd.IsValid() && s.AddrEnd != s.Addr {
			text += "-" + one(s.AddrEnd)
		}
	}
	if s.Port != 0 {
		text += fmt.Sprintf(":%d", s.Port)
		if s.PortEnd > s.Port {
			text += fmt.Sprintf("-%d", s.PortEnd)
		}
	}
	return text
}

func (s natStatement) flagWords() string {
	var words []string
	for _, f := range []struct {
		set  bool
		word string
	}{{s.Random, "random"}, {s.FullyRandom, "fully-random"}, {s.Persistent, "persistent"}} {
		if f.set {
			words = append(words, f.word)
		}
	}
	return strings.Join(words, ",")
}

// family is that of the addresses, 0 without any.
func (s natStatement) family() uint8 {
	if s.From != nil {
		switch yields(s.From)[0].Bytes {
		case nftables.TypeIPAddr.Bytes:
			return unix.NFPROTO_IPV4
		case nftables.TypeIP6Addr.Bytes:
			return unix.NFPROTO_IPV6
		}
		return 0
	}
	switch {
	case s.Prefix.IsValid() && s.Prefix.Addr().Is4():
		return unix.NFPROTO_IPV4
	case s.Prefix.IsValid():
		return unix.NFPROTO_IPV6
	case s.Addr.Is4():
		return unix.NFPROTO_IPV4
	case s.Addr.Is6():
		return unix.NFPROTO_IPV6
	}
	return 0
}

func (s natStatement) remedy() string {
	return fmt.Sprintf("%s needs %s, or one that only such chains call", s.word, needs(nftables.ChainTypeNAT, s.where))
}

// check refuses what no kernel takes.
func (s natStatement) check(b *builder) error {
	addresses := 0
	for _, is := range [...]bool{s.Addr.IsValid(), s.Prefix.IsValid(), s.From != nil} {
		if is {
			addresses++
		}
	}
	switch {
	case s.translates() && addresses == 0 && s.Port == 0:
		return fmt.Errorf("%w: it names neither an address nor a port", dict.ErrInvalid)
	case !s.translates() && addresses > 0:
		return fmt.Errorf("%w: it takes no address", dict.ErrInvalid)
	case addresses > 1:
		return fmt.Errorf("%w: Addr, Prefix and From stand in each other's place", dict.ErrInvalid)
	case s.From != nil && len(yields(s.From)) > 1 && s.Port != 0:
		return fmt.Errorf("%w: a port and what yields one", dict.ErrInvalid)
	case s.AddrEnd.IsValid() && (s.AddrEnd.BitLen() != s.Addr.BitLen() || s.AddrEnd.Less(s.Addr)):
		return fmt.Errorf("%w: %s-%s is no range", dict.ErrInvalid, s.Addr, s.AddrEnd)
	case s.PortEnd != 0 && (s.Port == 0 || s.PortEnd < s.Port):
		return fmt.Errorf("%w: %d-%d is no range of ports", dict.ErrInvalid, s.Port, s.PortEnd)
	case s.Random && s.FullyRandom:
		return fmt.Errorf("%w: random and fully-random", dict.ErrInvalid)
	}
	if err := b.families(unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_INET); err != nil {
		return err
	}
	if err := b.at(nftables.ChainTypeNAT, s.where); err != nil {
		return err
	}
	if f := s.family(); f != 0 && b.l3 != 0 && f != b.l3 {
		return fmt.Errorf("%w: the packets here are %s", dict.ErrInvalid, nftext.FamilyWord(b.l3))
	}
	if s.Port != 0 {
		return b.transport()
	}
	return nil
}

func (s natStatement) build(b *builder) error {
	if err := s.check(b); err != nil {
		return err
	}
	next := uint32(reg1)
	load := func(data []byte) uint32 {
		b.immediate(next, data)
		next++
		return next - 1
	}
	var addr, addrEnd, first, end uint32
	if s.From != nil {
		if err := s.From.into(b, reg1); err != nil {
			return err
		}
		addr, next = reg1, reg2
		if parts := yields(s.From); len(parts) > 1 {
			// The port stands behind the address in the same registers.
			first = unix.NFT_REG32_00 + parts[0].Bytes/4
		}
	} else if s.Prefix.IsValid() {
		addr, addrEnd = load(s.Prefix.Masked().Addr().AsSlice()), load(last(s.Prefix))
	} else if s.Addr.IsValid() {
		addr = load(s.Addr.AsSlice())
		if s.AddrEnd.IsValid() && s.AddrEnd != s.Addr {
			addrEnd = load(s.AddrEnd.AsSlice())
		}
	}
	flags := uint32(0)
	if s.Port != 0 {
		flags |= unix.NF_NAT_RANGE_PROTO_SPECIFIED
		first = load(port(s.Port))
		if s.PortEnd > s.Port {
			end = load(port(s.PortEnd))
		}
	}
	if s.Random {
		flags |= unix.NF_NAT_RANGE_PROTO_RANDOM
	}
	if s.FullyRandom {
		flags |= unix.NF_NAT_RANGE_PROTO_RANDOM_FULLY
	}
	if s.Persistent {
		flags |= unix.NF_NAT_RANGE_PERSISTENT
	}
	switch s.word {
	case "dnat", "snat":
		return s.nat(b, addr, addrEnd, first, end)
	case "masquerade":
		// google/nftables writes either ports or flags.
		b.raw("masq", func(e *netlink.AttributeEncoder) {
			registers(e, unix.NFTA_MASQ_REG_PROTO_MIN, unix.NFTA_MASQ_REG_PROTO_MAX, first, end)
			if flags != 0 {
				e.Uint32(unix.NFTA_MASQ_FLAGS, flags)
			}
		})
	default:
		b.add(&expr.Redir{RegisterProtoMin: first, RegisterProtoMax: end, Flags: flags})
	}
	b.ends(s.String())
	return nil
}

// nat appends the expression of dnat and snat.
func (s natStatement) nat(b *builder, addr, addrEnd, first, end uint32) error {
	family := s.family()
	if family == 0 {
		family = b.l3
	}
	if family == 0 {
		return fmt.Errorf("%w: the packets here may be of either family: match one before", dict.ErrInvalid)
	}
	e := &expr.NAT{Type: expr.NATTypeSourceNAT, Family: uint32(family), RegAddrMin: addr, RegAddrMax: addrEnd, RegProtoMin: first, RegProtoMax: end,
		Random: s.Random, FullyRandom: s.FullyRandom, Persistent: s.Persistent, Prefix: s.Prefix.IsValid(), Specified: s.Port != 0}
	if s.word == "dnat" {
		e.Type = expr.NATTypeDestNAT
	}
	b.add(e)
	b.ends(s.String())
	return nil
}

// registers writes the registers of a range of ports.
func registers(e *netlink.AttributeEncoder, low, high uint16, first, end uint32) {
	if first != 0 {
		e.Uint32(low, first)
	}
	if end != 0 {
		e.Uint32(high, end)
	}
}
