// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// metaKey is a key of what the kernel knows of a packet beside its bytes.
func metaKey[T any](text string, k expr.MetaKey, typ nftables.SetDatatype, host bool, enc func(T) (value, error)) Key[T] {
	return Key[T]{key: key{text: text, typ: typ, host: host, load: func(b *builder, reg uint32) {
		b.add(&expr.Meta{Key: k, Register: reg})
	}}, enc: enc}
}

// MetaMark is the packet's mark.
func MetaMark() Writable[uint32] {
	k := metaKey("meta mark", expr.MetaKeyMARK, nftables.TypeMark, true, hostOrder(mark))
	return writable(k, func(b *builder, reg uint32) {
		b.add(&expr.Meta{Key: expr.MetaKeyMARK, Register: reg, SourceRegister: true})
	})
}

// MetaSecmark is the packet's security mark, a number of whichever module
// labels packets. Stock nft does not compare it; dict terms may set it.
func MetaSecmark() Writable[uint32] {
	k := metaKey("meta secmark", expr.MetaKeySECMARK, nftables.TypeMark, true, hostOrder(mark))
	return writable(k, func(b *builder, reg uint32) {
		b.add(&expr.Meta{Key: expr.MetaKeySECMARK, Register: reg, SourceRegister: true})
	})
}

// MetaPriority is the packet's class of traffic control: 0x10002 is 1:2.
func MetaPriority() Writable[uint32] {
	k := metaKey("meta priority", expr.MetaKeyPRIORITY, nftables.TypeClassID, true, hostOrder(func(v uint32) string {
		return fmt.Sprintf("%x:%x", v>>16, v&0xffff)
	}))
	return writable(k, func(b *builder, reg uint32) {
		b.add(&expr.Meta{Key: expr.MetaKeyPRIORITY, Register: reg, SourceRegister: true})
	})
}

// Trace lets `nft monitor trace` show the packet's further way, or not.
func Trace(on bool) Statement {
	n := byte(0)
	if on {
		n = 1
	}
	return statement{text: fmt.Sprintf("meta nftrace set %d", n), make: func(b *builder) error {
		b.immediate(reg1, []byte{n})
		b.add(&expr.Meta{Key: expr.MetaKeyNFTRACE, Register: reg1, SourceRegister: true})
		return nil
	}}
}

// MetaLength is the packet's length in bytes.
func MetaLength() Key[uint32] {
	return metaKey("meta length", expr.MetaKeyLEN, nftables.TypeInteger, true, hostOrder(decimal[uint32]))
}

// MetaCPU is the processor that handles the packet.
func MetaCPU() Key[uint32] {
	return metaKey("meta cpu", expr.MetaKeyCPU, nftables.TypeInteger, true, hostOrder(decimal[uint32]))
}

// SKUID is the user that the packet's socket belongs to.
func SKUID() Key[uint32] {
	return metaKey("meta skuid", expr.MetaKeySKUID, nftables.TypeUID, true, hostOrder(decimal[uint32]))
}

// SKGID is the group that the packet's socket belongs to.
func SKGID() Key[uint32] {
	return metaKey("meta skgid", expr.MetaKeySKGID, nftables.TypeGID, true, hostOrder(decimal[uint32]))
}

// Cgroup is the net_cls class of the packet's socket.
func Cgroup() Key[uint32] {
	return metaKey("meta cgroup", expr.MetaKeyCGROUP, nftables.TypeInteger, true, hostOrder(decimal[uint32]))
}

// IIFName is the name of the interface that the packet came by. One that ends
// in * stands for all names that begin so.
func IIFName() Key[string] {
	return metaKey("iifname", expr.MetaKeyIIFNAME, nftables.TypeIFName, false, ifname)
}

// OIFName is the name of the interface that the packet leaves by.
func OIFName() Key[string] {
	return metaKey("oifname", expr.MetaKeyOIFNAME, nftables.TypeIFName, false, ifname)
}

// IIF is the index of the interface that the packet came by.
func IIF() Key[uint32] {
	return metaKey("iif", expr.MetaKeyIIF, nftables.TypeIFIndex, true, hostOrder(decimal[uint32]))
}

// OIF is the index of the interface that the packet leaves by.
func OIF() Key[uint32] {
	return metaKey("oif", expr.MetaKeyOIF, nftables.TypeIFIndex, true, hostOrder(decimal[uint32]))
}

// IIFGroup is the group of the interface that the packet came by.
func IIFGroup() Key[uint32] {
	return metaKey("iifgroup", expr.MetaKeyIIFGROUP, nftables.TypeDevGroup, true, hostOrder(decimal[uint32]))
}

// OIFGroup is the group of the interface that the packet leaves by.
func OIFGroup() Key[uint32] {
	return metaKey("oifgroup", expr.MetaKeyOIFGROUP, nftables.TypeDevGroup, true, hostOrder(decimal[uint32]))
}

// NFProto is the packet's family, in tables of family inet.
func NFProto() Key[Family] {
	k := metaKey("meta nfproto", expr.MetaKeyNFPROTO, nftables.TypeNFProto, false, hostOrder(named[Family]))
	k.learn = func(b *builder, values []value) {
		if len(values) == 1 {
			b.l3 = values[0].data[0]
		}
	}
	return k
}

// L4Proto is the packet's transport protocol, of either family.
func L4Proto() Key[Protocol] {
	k := metaKey("meta l4proto", expr.MetaKeyL4PROTO, nftables.TypeInetProto, false, hostOrder(named[Protocol]))
	k.learn = learnProtocol
	return k
}

// learnProtocol notes the protocols that packets are known to have.
func learnProtocol(b *builder, values []value) {
	b.l4 = nil
	for _, v := range values {
		b.l4 = append(b.l4, v.data[0])
	}
}

// PacketType is whom the link layer sent a packet to.
type PacketType uint8

// The packet types.
const (
	ToHost      PacketType = unix.PACKET_HOST
	ToBroadcast PacketType = unix.PACKET_BROADCAST
	ToMulticast PacketType = unix.PACKET_MULTICAST
	ToOther     PacketType = unix.PACKET_OTHERHOST
)

// String returns the type as nft writes it.
func (p PacketType) String() string {
	switch p {
	case ToHost:
		return "host"
	case ToBroadcast:
		return "broadcast"
	case ToMulticast:
		return "multicast"
	case ToOther:
		return "other"
	}
	return decimal(p)
}

// PktType is whom the link layer sent the packet to.
func PktType() Key[PacketType] {
	return metaKey("meta pkttype", expr.MetaKeyPKTTYPE, nftables.TypePktType, false, hostOrder(named[PacketType]))
}
