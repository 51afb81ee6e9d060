// SPDX-License-Identifier: MIT

package rules

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// Keys and bits that the library has no names for.
const (
	ctKeyID         = expr.CtKey(unix.NFT_CT_ID)
	statusConfirmed = 1 << 3 // IPS_CONFIRMED
	pktHost         = 0      // PACKET_HOST
)

const (
	reg        = 1 // the 128-bit register that all rules use
	wordLength = 4
)

// rule is a list of nft expressions, with the encoded ones (terms of a
// Compiler) among them.
type rule struct {
	parts []part
	text  string // shown by listings, in place of what nft cannot print
}

type part struct {
	expr    expr.Any
	encoded []byte // NFTA_LIST_ELEM attributes, where expr is nil
}

func newRule(text string, exprs ...[]expr.Any) rule {
	r := rule{text: text}
	for _, es := range exprs {
		for _, e := range es {
			r.parts = append(r.parts, part{expr: e})
		}
	}
	return r
}

// and returns r with encoded expressions behind it.
func (r rule) and(encoded []byte) rule {
	r.parts = append(r.parts, part{encoded: encoded})
	return r
}

// then returns r with more expressions behind it.
func (r rule) then(exprs ...[]expr.Any) rule {
	r.parts = append(r.parts, newRule("", exprs...).parts...)
	return r
}

// native returns n as the kernel's registers hold numbers.
func native(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func equal(data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: data}
}

func unequal(data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: data}
}

func and(mask uint32) expr.Any {
	return &expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: wordLength, Mask: native(mask), Xor: native(0)}
}

// ctBits matches if any of the bits of a conntrack number is set; noCtBits if
// none is.
func ctBits(key expr.CtKey, bits uint32) []expr.Any {
	return []expr.Any{&expr.Ct{Key: key, Register: reg}, and(bits), unequal(native(0))}
}

func noCtBits(key expr.CtKey, bits uint32) []expr.Any {
	return []expr.Any{&expr.Ct{Key: key, Register: reg}, and(bits), equal(native(0))}
}

// metaIs matches a number of the packet's meta data.
func metaIs(key expr.MetaKey, n uint32) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: reg}, equal(native(n))}
}

// loopback matches packets that enter, or leave, by the interface lo.
func loopback(key expr.MetaKey) []expr.Any { return metaIs(key, 1) }

func protocol(proto uint8) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg}, equal([]byte{proto})}
}

// opensTCP matches the TCP packet that asks for a connection: SYN alone.
func opensTCP() []expr.Any {
	const flags, fin, syn, rst, ack = 13, 1, 2, 4, 16
	return append(protocol(unix.IPPROTO_TCP),
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: flags, Len: 1},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 1, Mask: []byte{fin | syn | rst | ack}, Xor: []byte{0}},
		equal([]byte{syn}))
}

// port matches the source or the destination port of TCP and UDP.
func port(offset uint32, port uint16) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2},
		equal(binary.BigEndian.AppendUint16(nil, port)),
	}
}

const (
	srcPort = 0
	dstPort = 2
)

// morePackets matches connections that have had more than n packets, where
// conntrack counts them.
func morePackets(n uint64) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyPKTS, Register: reg},
		&expr.Byteorder{SourceRegister: reg, DestRegister: reg, Op: expr.ByteorderHton, Len: 8, Size: 8},
		&expr.Cmp{Op: expr.CmpOpGt, Register: reg, Data: binary.BigEndian.AppendUint64(nil, n)},
	}
}

// setCtMark sets bits of the conntrack mark and leaves the others.
func setCtMark(bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: wordLength, Mask: native(^bits), Xor: native(bits)},
		&expr.Ct{Key: expr.CtKeyMARK, Register: reg, SourceRegister: true},
	}
}

// clearCtMark clears bits of the conntrack mark and leaves the others.
func clearCtMark(bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: reg},
		and(^bits),
		&expr.Ct{Key: expr.CtKeyMARK, Register: reg, SourceRegister: true},
	}
}

// copyMeta sets one number of the packet's meta data to another.
func copyMeta(to, from expr.MetaKey) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: from, Register: reg},
		&expr.Meta{Key: to, Register: reg, SourceRegister: true},
	}
}

// markWithID sets the packet mark to the conntrack id, its bytes in the order
// of the wire.
func markWithID() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: ctKeyID, Register: reg},
		&expr.Meta{Key: expr.MetaKeyMARK, Register: reg, SourceRegister: true},
	}
}

func verdict(kind expr.VerdictKind, chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: kind, Chain: chain}}
}

func leave() []expr.Any              { return verdict(expr.VerdictReturn, "") }
func continueIn(c string) []expr.Any { return verdict(expr.VerdictGoto, c) }

// xtNFQUEUE is the old form of queue, revision 3 of its target. The target
// takes its settings as struct xt_NFQ_info_v3 padded to eight bytes.
func xtNFQUEUE(num, total uint16, bypass, fanout bool) []expr.Any {
	info := make([]byte, 8)
	binary.NativeEndian.PutUint16(info[0:], num)
	binary.NativeEndian.PutUint16(info[2:], total)
	binary.NativeEndian.PutUint16(info[4:], queueFlags(bypass, fanout))
	settings := xt.Unknown(info)
	return []expr.Any{&expr.Target{Name: "NFQUEUE", Rev: 3, Info: &settings}}
}

func nftQueue(num, total uint16, bypass, fanout bool) []expr.Any {
	return []expr.Any{&expr.Queue{Num: num, Total: total, Flag: expr.QueueFlag(queueFlags(bypass, fanout))}}
}

// queueFlags are the same bits in both forms.
func queueFlags(bypass, fanout bool) (flags uint16) {
	if bypass {
		flags |= 1
	}
	if fanout {
		flags |= 2
	}
	return flags
}

// encode returns the NFTA_LIST_ELEM attributes of a rule.
func (r rule) encode(family uint8) ([]byte, error) {
	var out []byte
	for _, p := range r.parts {
		if p.expr == nil {
			out = append(out, p.encoded...)
			continue
		}
		b, err := expr.Marshal(family, p.expr)
		if err != nil {
			return nil, fmt.Errorf("encode %T: %w", p.expr, err)
		}
		out = appendAttr(out, unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, b)
	}
	return out, nil
}
