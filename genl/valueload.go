// SPDX-License-Identifier: MIT

package genl

import (
	"fmt"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// registerBytes is the size of all registers together.
const registerBytes = 64

// value assembles what puts a field's value into a register, where what its key
// needs goes first.
func (a *assembler) value(l *nftext.Load, class nftext.Class, reg uint32) error {
	if reg < unix.NFT_REG_1 || reg > unix.NFT_REG_4 && reg < unix.NFT_REG32_00 || reg > unix.NFT_REG32_15 {
		return fmt.Errorf("register %d: %w", reg, dict.ErrInvalid)
	}
	if !holds(class, l.Type) {
		return fmt.Errorf("%w: %s is not of the class %d", dict.ErrType, l.Type, class)
	}
	a.b.uint32(exprOp, opLoad)
	if err := a.lookup(exprLookup, &l.Ref, reg); err != nil {
		return err
	}
	if size := keySize(a.family, &l.Key); registerAt(reg)+max(size, class.Width()) > registerBytes {
		return fmt.Errorf("%w: its key of %d bytes does not fit the registers behind what is before it, write it first", dict.ErrNotSupported, size)
	}
	a.b.uint32(exprDReg, reg)
	a.b.uint32(exprLen, uint32(class.Width()))
	if s := swapped(class, reg); s != nil {
		a.behind = append(a.behind, *s)
	}
	return nil
}

// holds reports whether values of type t are of a class.
func holds(c nftext.Class, t dict.Type) bool {
	switch c {
	case nftext.ClassInteger, nftext.ClassInteger16:
		return t == dict.Int || t == dict.Int64
	case nftext.ClassInteger64:
		return t == dict.Int64
	case nftext.ClassIPv4:
		return t == dict.IPv4
	case nftext.ClassIPv6:
		return t == dict.IPv6
	case nftext.ClassName:
		return t == dict.String
	case nftext.ClassBool:
		return t == dict.Bool
	case nftext.ClassEther:
		return t == dict.Ether
	}
	return false
}

// swapped returns what turns a number into network order, nil where the class
// has the machine's.
func swapped(c nftext.Class, reg uint32) *step {
	if c != nftext.ClassInteger16 && c != nftext.ClassInteger64 {
		return nil
	}
	size := uint32(c.Width())
	return &step{"byteorder", &expr.Byteorder{SourceRegister: reg, DestRegister: reg, Op: expr.ByteorderHton, Len: size, Size: size}}
}

// keySize returns how many bytes of registers the key of a lookup takes.
func keySize(family uint8, k *nftext.KeyRef) int {
	for k.Nested != nil {
		k = &k.Nested.Key
	}
	if k.Selector == nftext.CtID {
		return 0
	}
	_, size := loads(family, k.Selector, registerKey)
	return size
}

// registerAt returns where a register begins, in bytes.
func registerAt(reg uint32) int {
	if reg >= unix.NFT_REG32_00 {
		return int(reg-unix.NFT_REG32_00) * 4
	}
	return int(reg-unix.NFT_REG_1) * 16
}
