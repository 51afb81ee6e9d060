// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// Dup sends a copy of the packet elsewhere, and goes on with the packet. In
// tables of family ip and ip6 it goes to an address, by way of a device if one
// is named; in netdev tables to a device.
type Dup struct {
	Addr   netip.Addr
	From   Value  // in place of Addr: what yields the address
	Device uint32 // index of an interface; 0 is none
}

// String returns the statement as nft writes it, a device by its index.
func (d Dup) String() string { return "dup to " + copyTarget(d.Addr, d.From, d.Device) }

// copyTarget writes where a copy goes.
func copyTarget(addr netip.Addr, from Value, device uint32) string {
	text := ""
	switch {
	case from != nil:
		text = from.String()
	case addr.IsValid():
		text = addr.String()
	default:
		return decimal(device)
	}
	if device != 0 {
		text += " device " + decimal(device)
	}
	return text
}

func (Dup) remedy() string {
	return "dup needs a kernel with CONFIG_NFT_DUP_IPV4, CONFIG_NFT_DUP_IPV6 or CONFIG_NFT_DUP_NETDEV, after the table's family"
}

func (d Dup) build(b *builder) error {
	if err := b.families(unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_NETDEV); err != nil {
		return err
	}
	if b.family == unix.NFPROTO_NETDEV {
		if d.Addr.IsValid() || d.From != nil || d.Device == 0 {
			return fmt.Errorf("%w in a table of family netdev: it needs a device and no address", dict.ErrInvalid)
		}
		b.immediate(reg1, native(d.Device))
		b.raw("dup", func(e *netlink.AttributeEncoder) { e.Uint32(unix.NFTA_DUP_SREG_DEV, reg1) })
		return nil
	}
	if err := b.address(d.Addr, d.From, reg1); err != nil {
		return err
	}
	e := &expr.Dup{RegAddr: reg1}
	if d.Device != 0 {
		b.immediate(reg2, native(d.Device))
		e.RegDev, e.IsRegDevSet = reg2, true
	}
	b.add(e)
	return nil
}

// address loads an address of the packet's family.
func (b *builder) address(addr netip.Addr, from Value, reg uint32) error {
	length := 16
	if b.l3 == unix.NFPROTO_IPV4 {
		length = 4
	}
	if from != nil {
		if have := from.dataType(); have.Bytes != 0 && have.Bytes != uint32(length) {
			return fmt.Errorf("%w: the packets here are %s", dict.ErrInvalid, nftext.FamilyWord(b.l3))
		}
		return from.into(b, reg)
	}
	if !addr.IsValid() || addr.BitLen() != 8*length {
		return fmt.Errorf("%w: it needs an address of family %s", dict.ErrInvalid, nftext.FamilyWord(b.l3))
	}
	b.immediate(reg, addr.AsSlice())
	return nil
}

// Fwd sends the packet itself out of a device, in netdev tables: as it is, or
// with Addr to a neighbour of that device.
type Fwd struct {
	Device uint32 // index of an interface
	Addr   netip.Addr
}

// String returns the statement as nft writes it, the device by its index.
func (f Fwd) String() string {
	if !f.Addr.IsValid() {
		return "fwd to " + decimal(f.Device)
	}
	family := "ip"
	if f.Addr.Is6() {
		family = "ip6"
	}
	return "fwd " + family + " to " + copyTarget(f.Addr, nil, f.Device)
}

func (Fwd) remedy() string { return "fwd needs a kernel with CONFIG_NFT_FWD_NETDEV" }

func (f Fwd) build(b *builder) error {
	if err := b.families(unix.NFPROTO_NETDEV); err != nil {
		return err
	}
	if f.Device == 0 {
		return fmt.Errorf("%w: it needs a device", dict.ErrInvalid)
	}
	b.immediate(reg1, native(f.Device))
	if f.Addr.IsValid() {
		b.immediate(reg2, f.Addr.AsSlice())
	}
	b.raw("fwd", func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NFTA_FWD_SREG_DEV, reg1)
		if !f.Addr.IsValid() {
			return
		}
		const regAddr, nfproto = 2, 3 // NFTA_FWD_SREG_ADDR, NFTA_FWD_NFPROTO
		family := uint32(unix.NFPROTO_IPV4)
		if f.Addr.Is6() {
			family = unix.NFPROTO_IPV6
		}
		e.Uint32(regAddr, reg2)
		e.Uint32(nfproto, family)
	})
	b.ends(f.String())
	return nil
}
