// SPDX-License-Identifier: MIT

package rule

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// The registers that statements use: the first, and what nft takes beside it.
const (
	reg1 = unix.NFT_REG_1
	reg2 = unix.NFT_REG_2
	reg3 = unix.NFT_REG_3
	reg4 = unix.NFT_REG_4
)

// builder makes the expressions of one rule for one chain.
type builder struct {
	chain  *nftables.Chain
	family uint8
	batch  *Batch

	exprs  []byte // NFTA_LIST_ELEM attributes
	starts []int  // where those of each statement begin
	sets   []message
	codes  []*nftext.Code
	err    error // of encoding

	l3       uint8 // the family that the packets are known to be of, NFPROTO_*
	l4       []byte
	ether    bool
	terminal string // the verdict that ends the rule
}

// rule builds all statements. The error names the statement.
func (b *builder) rule(r Rule) error {
	switch b.family {
	case unix.NFPROTO_IPV4, unix.NFPROTO_IPV6:
		b.l3 = b.family
	}
	for _, s := range r.statements {
		if s == nil {
			return fmt.Errorf("%w: a statement is nil", dict.ErrInvalid)
		}
		b.starts = append(b.starts, len(b.exprs))
		err := errors.Join(b.after(), s.build(b), b.err)
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// after refuses a statement behind one that ends the rule.
func (b *builder) after() error {
	if b.terminal == "" {
		return nil
	}
	return fmt.Errorf("%w: it stands behind %q and is never reached", dict.ErrInvalid, b.terminal)
}

// ends says that a statement lets nothing behind it be reached.
func (b *builder) ends(text string) { b.terminal = text }

// add appends an expression of the library.
func (b *builder) add(e expr.Any) {
	data, err := expr.Marshal(b.family, e)
	if err != nil {
		b.err = errors.Join(b.err, fmt.Errorf("encode %T: %w", e, err))
		return
	}
	b.element(data)
}

// raw appends an expression that the library lacks, or writes wrongly.
func (b *builder) raw(name string, fill func(*netlink.AttributeEncoder)) {
	e := newEncoder()
	e.String(unix.NFTA_EXPR_NAME, name)
	e.Nested(unix.NFTA_EXPR_DATA, func(e *netlink.AttributeEncoder) error {
		fill(e)
		return nil
	})
	data, err := e.Encode()
	if err != nil {
		b.err = errors.Join(b.err, fmt.Errorf("encode %s: %w", name, err))
		return
	}
	b.element(data)
}

func (b *builder) element(data []byte) {
	b.exprs = appendAttr(b.exprs, unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, data)
}

// immediate puts data into a register.
func (b *builder) immediate(reg uint32, data []byte) {
	b.add(&expr.Immediate{Register: reg, Data: data})
}

// cmp compares the first register.
func (b *builder) cmp(op expr.CmpOp, data []byte) {
	b.add(&expr.Cmp{Op: op, Register: reg1, Data: data})
}

// bitwise is reg1 & mask ^ xor.
func (b *builder) bitwise(mask, xor []byte) {
	b.add(&expr.Bitwise{SourceRegister: reg1, DestRegister: reg1, Len: uint32(len(mask)), Mask: mask, Xor: xor})
}

// needFamily sees to it that only packets of a family go on.
func (b *builder) needFamily(family uint8) error {
	if family == 0 || b.l3 == family {
		return nil
	}
	switch {
	case b.l3 != 0:
		return fmt.Errorf("%w: the packets here are %s", dict.ErrInvalid, nftext.FamilyWord(b.l3))
	case b.family == unix.NFPROTO_INET:
		b.add(&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: reg1})
		b.cmp(expr.CmpOpEq, []byte{family})
	case b.family == unix.NFPROTO_BRIDGE, b.family == unix.NFPROTO_NETDEV:
		b.add(&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: reg1})
		etherType := uint16(unix.ETH_P_IP)
		if family == unix.NFPROTO_IPV6 {
			etherType = unix.ETH_P_IPV6
		}
		b.cmp(expr.CmpOpEq, binary.BigEndian.AppendUint16(nil, etherType))
	default:
		return fmt.Errorf("%w: not in a table of family %s", dict.ErrInvalid, nftext.FamilyWord(b.family))
	}
	b.l3 = family
	return nil
}

// needProtocol sees to it that only packets of a transport protocol go on.
func (b *builder) needProtocol(protocol uint8) error {
	if protocol == 0 || len(b.l4) == 1 && b.l4[0] == protocol {
		return nil
	}
	if err := b.mayBe(Protocol(protocol)); err != nil {
		return err
	}
	return b.isProtocol(protocol)
}

// mayBe refuses a protocol that the packets are known not to have.
func (b *builder) mayBe(p Protocol) error {
	if b.l4 == nil || bytes.IndexByte(b.l4, byte(p)) >= 0 {
		return nil
	}
	return fmt.Errorf("%w: the packets here are %s", dict.ErrInvalid, Protocol(b.l4[0]))
}

func (b *builder) isProtocol(protocol uint8) error {
	if b.family == unix.NFPROTO_ARP {
		return fmt.Errorf("%w: not in a table of family arp", dict.ErrInvalid)
	}
	b.add(&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg1})
	b.cmp(expr.CmpOpEq, []byte{protocol})
	b.l4 = []byte{protocol}
	return nil
}

// needEther sees to it that only packets with an Ethernet header go on.
func (b *builder) needEther() error {
	switch {
	case b.ether, b.family == unix.NFPROTO_BRIDGE, b.family == unix.NFPROTO_NETDEV:
		return nil
	}
	b.add(&expr.Meta{Key: expr.MetaKeyIIFTYPE, Register: reg1})
	b.cmp(expr.CmpOpEq, binary.NativeEndian.AppendUint16(nil, unix.ARPHRD_ETHER))
	b.ether = true
	return nil
}

// families refuses a statement outside of tables of the families.
func (b *builder) families(ok ...uint8) error {
	words := ""
	for i, f := range ok {
		if f == b.family {
			return nil
		}
		if i > 0 {
			words += ", "
		}
		words += nftext.FamilyWord(f)
	}
	return fmt.Errorf("%w in a table of family %s: it needs %s", dict.ErrInvalid, nftext.FamilyWord(b.family), words)
}

// transport refuses a statement that names ports where the protocol is not
// known to have any.
func (b *builder) transport() error {
	if len(b.l4) == 0 {
		return fmt.Errorf("%w: ports belong to a protocol: match it before, such as L4Proto().Is(TCP)", dict.ErrInvalid)
	}
	return nil
}
