// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"

	"github.com/cilium/ebpf"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/nftext"
)

// register is where nft carries a number over to the secmark.
const register = unix.NFT_REG_1

// expressions returns the term as NFTA_LIST_ELEM attributes: what loads the
// number to carry and puts it into the secmark, if there is one, and the match.
func (p *plan) expressions(family byte, l label, program *ebpf.Program) ([]byte, error) {
	info, err := l.info(program.FD())
	if err != nil {
		return nil, err
	}
	var list []expr.Any
	if p.carried != 0 {
		list = append(list, loads(p.carried), &expr.Meta{Key: expr.MetaKeySECMARK, Register: register, SourceRegister: true})
	}
	data := xt.Unknown(info)
	list = append(list, &expr.Match{Name: matchName, Rev: matchRev, Info: &data})
	enc := netlink.NewAttributeEncoder()
	for _, e := range list {
		b, err := expr.Marshal(family, e)
		if err != nil {
			return nil, err
		}
		enc.Bytes(netlink.Nested|unix.NFTA_LIST_ELEM, b)
	}
	return enc.Encode()
}

// loads returns the expression that reads a selector into the register.
func loads(s nftext.Selector) expr.Any {
	switch s {
	case nftext.CtID:
		return &expr.Ct{Key: unix.NFT_CT_ID, Register: register}
	case nftext.CtMark:
		return &expr.Ct{Key: expr.CtKeyMARK, Register: register}
	case nftext.MetaIif:
		return &expr.Meta{Key: expr.MetaKeyIIF, Register: register}
	case nftext.MetaOif:
		return &expr.Meta{Key: expr.MetaKeyOIF, Register: register}
	case nftext.MetaSkuid:
		return &expr.Meta{Key: expr.MetaKeySKUID, Register: register}
	}
	return &expr.Meta{Key: expr.MetaKeySKGID, Register: register}
}

// Decompile implements nftext.Compiler: the match says what it is, and whether
// the two expressions before it belong to it.
func (c *compiler) Decompile(_ uint8, elems []nftext.Element) nftext.Found {
	if len(elems) == 0 {
		return nftext.Found{}
	}
	if l, ok := parseMatch(elems[0].Name, elems[0].Data); ok && !l.carried {
		return nftext.Found{Text: l.text, N: 1}
	}
	if len(elems) < 3 || elems[0].Name != "ct" && elems[0].Name != "meta" || !setsSecmark(elems[1]) {
		return nftext.Found{}
	}
	if l, ok := parseMatch(elems[2].Name, elems[2].Data); ok && l.carried {
		return nftext.Found{Text: l.text, N: 3}
	}
	return nftext.Found{}
}

// setsSecmark reports whether an expression is `meta secmark set` from our
// register.
func setsSecmark(e nftext.Element) bool {
	if e.Name != "meta" {
		return false
	}
	attrs, err := netlink.NewAttributeDecoder(e.Data)
	if err != nil {
		return false
	}
	attrs.ByteOrder = binary.BigEndian
	var key, source uint32
	for attrs.Next() {
		switch attrs.Type() {
		case unix.NFTA_META_KEY:
			key = attrs.Uint32()
		case unix.NFTA_META_SREG:
			source = attrs.Uint32()
		}
	}
	// The kernel names its first register by the older number too.
	return attrs.Err() == nil && key == unix.NFT_META_SECMARK && (source == register || source == unix.NFT_REG32_00)
}
