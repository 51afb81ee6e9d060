// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// Decompile implements nftext.Compiler: the expression tells its text, and the
// text which expressions around it belong to it.
func (c *compiler) Decompile(family uint8, elems []nftext.Element) nftext.Found {
	for n, e := range elems[:min(len(elems), maxBefore+1)] {
		if e.Name != exprName {
			continue
		}
		o := readOurs(e.Data)
		term := o.term()
		if term == nil {
			return nftext.Found{}
		}
		before := namesBefore(family, term, o.packet)
		if len(before) != n {
			return nftext.Found{}
		}
		for i, name := range before {
			if elems[i].Name != name {
				return nftext.Found{}
			}
		}
		found := nftext.Found{Text: o.text, N: n + 1, Class: o.class(), Register: o.register}
		if swap := swapped(found.Class, found.Register); swap != nil {
			if found.N == len(elems) || elems[found.N].Name != swap.name {
				return nftext.Found{}
			}
			found.N++
		}
		return found
	}
	return nftext.Found{}
}

// ours is what Decompile needs of an expression of ours.
type ours struct {
	op       uint32
	text     string // "" if it has none
	typ      dict.Type
	size     uint32
	register uint32
	packet   bool // it reads the packet itself
}

// readOurs reads the attributes of an expression.
func readOurs(data []byte) (o ours) {
	err := each(data, func(a attr) error {
		switch a.typ {
		case exprOp:
			o.op = netUint32(a)
		case exprText:
			o.text = a.text()
		case exprDReg:
			o.register = register(netUint32(a))
		case exprPacket:
			o.packet = true
		case exprLen:
			o.size = netUint32(a)
		case exprLookup:
			return each(a.data, func(a attr) error {
				if a.typ == lookupType {
					o.typ = dict.Type(netUint32(a))
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return ours{}
	}
	return o
}

// netUint32 returns a number in network order, 0 if it is none.
func netUint32(a attr) uint32 {
	if len(a.data) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(a.data)
}

// term returns the term that the text is, nil if it is none.
func (o *ours) term() nftext.Term {
	if o.op == opLoad {
		if v, n, err := nftext.ParseValue(o.text); err == nil && n == len(o.text) && o.class() != 0 {
			return v
		}
		return nil
	}
	t, n, err := nftext.Parse(o.text)
	if err != nil || n != len(o.text) || t.Kind() == nftext.KindValue {
		return nil
	}
	return t
}

// class returns the class of what a load puts into its register, 0 if it is no
// load of a Value.
func (o *ours) class() nftext.Class {
	for _, c := range []nftext.Class{nftext.ClassInteger, nftext.ClassInteger16, nftext.ClassInteger64, nftext.ClassIPv4, nftext.ClassIPv6, nftext.ClassName, nftext.ClassBool, nftext.ClassEther} {
		if o.op == opLoad && o.size == uint32(c.Width()) && holds(c, o.typ) {
			return c
		}
	}
	return 0
}

// register returns a register by the number that the kernel names it by.
func register(n uint32) uint32 {
	if n >= unix.NFT_REG32_00 && n <= unix.NFT_REG32_15 && (n-unix.NFT_REG32_00)%4 == 0 {
		return unix.NFT_REG_1 + (n-unix.NFT_REG32_00)/4
	}
	return n
}
