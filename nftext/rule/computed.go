// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// constant is a Value that is the same for all packets.
type constant struct {
	value
	key
}

// Const is a value of the kind that a key such as like has: Const(MetaMark().Key,
// 5) is a mark.
func Const[T any](like Key[T], v T) Value {
	d, err := like.enc(v)
	if err != nil {
		return failed{err, like.text, like.typ}
	}
	return constant{d, like.key}
}

func (c constant) String() string { return c.value.text }

func (c constant) into(b *builder, reg uint32) error {
	if c.prefix {
		return errWildcard(c.value.text)
	}
	b.immediate(reg, c.data)
	return nil
}

// failed is a Value that could not be made.
type failed struct {
	err  error
	text string
	typ  nftables.SetDatatype
}

func (f failed) String() string                 { return f.text }
func (f failed) dataType() nftables.SetDatatype { return f.typ }
func (f failed) into(*builder, uint32) error    { return f.err }

// JHash is a number from offset to offset+modulus-1 that depends on keys: the
// same for the same keys. Seed 0 is one of the kernel's.
func JHash(modulus, seed, offset uint32, keys ...AnyKey) Value {
	c := Concat(keys...)
	text := fmt.Sprintf("jhash %s mod %d", c, modulus)
	if seed != 0 {
		text += fmt.Sprintf(" seed 0x%x", seed)
	}
	return computed(text, modulus, offset, func(b *builder, reg uint32) error {
		if err := c.into(b, reg2); err != nil {
			return err
		}
		length := c.dataType().Bytes
		if len(c.parts) == 1 {
			length = c.parts[0].typ.Bytes
		}
		b.add(&expr.Hash{SourceRegister: reg2, DestRegister: reg, Length: length, Modulus: modulus, Seed: seed, Offset: offset, Type: expr.HashTypeJenkins})
		return nil
	})
}

// SymHash is a number from offset to offset+modulus-1 that is the same for both
// directions of a connection.
func SymHash(modulus, offset uint32) Value {
	return computed(fmt.Sprintf("symhash mod %d", modulus), modulus, offset, func(b *builder, reg uint32) error {
		b.raw("hash", func(e *netlink.AttributeEncoder) {
			e.Uint32(unix.NFTA_HASH_DREG, reg)
			e.Uint32(unix.NFTA_HASH_MODULUS, modulus)
			e.Uint32(unix.NFTA_HASH_OFFSET, offset)
			e.Uint32(unix.NFTA_HASH_TYPE, unix.NFT_HASH_SYM)
		})
		return nil
	})
}

// Numgen is a number from offset to offset+modulus-1: one after the other, or
// random.
func Numgen(random bool, modulus, offset uint32) Value {
	word, typ := "inc", uint32(unix.NFT_NG_INCREMENTAL)
	if random {
		word, typ = "random", unix.NFT_NG_RANDOM
	}
	return computed(fmt.Sprintf("numgen %s mod %d", word, modulus), modulus, offset, func(b *builder, reg uint32) error {
		b.add(&expr.Numgen{Register: reg, Modulus: modulus, Type: typ, Offset: offset})
		return nil
	})
}

// number is a Value of 32 bits that the kernel computes.
type number struct {
	text string
	make func(*builder, uint32) error
}

func computed(text string, modulus, offset uint32, do func(*builder, uint32) error) Value {
	if offset != 0 {
		text += fmt.Sprintf(" offset %d", offset)
	}
	if modulus == 0 {
		return failed{fmt.Errorf("%w: modulus 0", dict.ErrInvalid), text, nftables.TypeInteger}
	}
	return number{text, do}
}

func (n number) String() string                    { return n.text }
func (n number) dataType() nftables.SetDatatype    { return nftables.TypeInteger }
func (n number) into(b *builder, reg uint32) error { return n.make(b, reg) }
