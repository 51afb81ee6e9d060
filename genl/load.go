// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// Registers of nft, 16 bytes each.
const (
	registerKey   = unix.NFT_REG_1
	registerValue = unix.NFT_REG_2
)

// maxBefore is the most expressions that stand before ours in a term: what
// loads the key, and what loads the value.
const maxBefore = 6

// step is one expression of nft, and its name.
type step struct {
	name string
	expr expr.Any
}

// loads returns what nft does to read a selector into a register, and how many
// bytes that are. Numbers are in the machine's byte order, addresses in that of
// the wire.
func loads(family uint8, s nftext.Selector, register uint32) (steps []step, size int) {
	meta := func(key expr.MetaKey) step {
		return step{"meta", &expr.Meta{Key: key, Register: register}}
	}
	payload := func(base expr.PayloadBase, offset, size uint32) step {
		return step{"payload", &expr.Payload{DestRegister: register, Base: base, Offset: offset, Len: size}}
	}
	const number, ipv4, ipv6, ether = 4, 4, 16, 6
	network := func(offset, size uint32) []step {
		return append(isProtocol(family, protocol(s), register), payload(expr.PayloadBaseNetworkHeader, offset, size))
	}
	switch s {
	case nftext.CtID: // an id is in the order of the wire
		return []step{
			{"ct", &expr.Ct{Key: unix.NFT_CT_ID, Register: register}},
			{"byteorder", &expr.Byteorder{SourceRegister: register, DestRegister: register, Op: expr.ByteorderNtoh, Len: number, Size: number}},
		}, number
	case nftext.CtMark:
		return []step{{"ct", &expr.Ct{Key: expr.CtKeyMARK, Register: register}}}, number
	case nftext.MetaMark:
		return []step{meta(expr.MetaKeyMARK)}, number
	case nftext.MetaIif:
		return []step{meta(expr.MetaKeyIIF)}, number
	case nftext.MetaOif:
		return []step{meta(expr.MetaKeyOIF)}, number
	case nftext.MetaLength:
		return []step{meta(expr.MetaKeyLEN)}, number
	case nftext.MetaSkuid:
		return []step{meta(expr.MetaKeySKUID)}, number
	case nftext.MetaSkgid:
		return []step{meta(expr.MetaKeySKGID)}, number
	case nftext.MetaPriority:
		return []step{meta(expr.MetaKeyPRIORITY)}, number
	case nftext.IPSaddr:
		return network(12, ipv4), ipv4
	case nftext.IPDaddr:
		return network(16, ipv4), ipv4
	case nftext.IP6Saddr:
		return network(8, ipv6), ipv6
	case nftext.IP6Daddr:
		return network(24, ipv6), ipv6
	case nftext.EtherSaddr:
		return append(isEther(family, register), payload(expr.PayloadBaseLLHeader, 6, ether)), ether
	case nftext.EtherDaddr:
		return append(isEther(family, register), payload(expr.PayloadBaseLLHeader, 0, ether)), ether
	}
	return nil, 0
}

// isEther asks whether the packet came by Ethernet, where the family leaves
// that open.
func isEther(family uint8, register uint32) []step {
	if family == unix.NFPROTO_BRIDGE {
		return nil
	}
	const arphrdEther = 1
	return []step{
		{"meta", &expr.Meta{Key: expr.MetaKeyIIFTYPE, Register: register}},
		{"cmp", &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: binary.NativeEndian.AppendUint16(nil, arphrdEther)}},
	}
}

// protocol returns the family of packets that have what a selector reads, 0
// where that is any.
func protocol(s nftext.Selector) uint8 {
	switch s {
	case nftext.IPSaddr, nftext.IPDaddr:
		return unix.NFPROTO_IPV4
	case nftext.IP6Saddr, nftext.IP6Daddr:
		return unix.NFPROTO_IPV6
	}
	return 0
}

// isProtocol asks whether the packet is of a protocol, where the family leaves
// that open.
func isProtocol(family, protocol uint8, register uint32) []step {
	is := func(key expr.MetaKey, data []byte) []step {
		return []step{
			{"meta", &expr.Meta{Key: key, Register: register}},
			{"cmp", &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: data}},
		}
	}
	switch family {
	case protocol:
		return nil
	case unix.NFPROTO_INET, unix.NFPROTO_IPV4, unix.NFPROTO_IPV6:
		return is(expr.MetaKeyNFPROTO, []byte{protocol})
	}
	ether := uint16(unix.ETH_P_IP)
	if protocol == unix.NFPROTO_IPV6 {
		ether = unix.ETH_P_IPV6
	}
	return is(expr.MetaKeyPROTOCOL, binary.BigEndian.AppendUint16(nil, ether))
}

// checkFamily refuses a selector that no packet of a family can satisfy.
func checkFamily(family uint8, s nftext.Selector) error {
	tracked := family == unix.NFPROTO_INET || family == unix.NFPROTO_IPV4 || family == unix.NFPROTO_IPV6 || family == unix.NFPROTO_BRIDGE
	if (s == nftext.CtID || s == nftext.CtMark) && !tracked {
		return fmt.Errorf("%s: %w in family %s: packets have no connection there, use ip, ip6, inet or bridge", s, dict.ErrNotSupported, nftext.FamilyWord(family))
	}
	return nil
}

// namesBefore returns the names of the expressions that stand before ours in a
// compiled term; an expression that reads the packet itself needs no value.
func namesBefore(family uint8, t nftext.Term, packet bool) (names []string) {
	add := func(s nftext.Selector) {
		steps, _ := loads(family, s, registerKey)
		for _, s := range steps {
			names = append(names, s.name)
		}
	}
	key := func(k *nftext.KeyExpr) {
		for k.Nested != nil {
			k = &k.Nested.Key
		}
		if k.Selector != nftext.CtID {
			add(k.Selector)
		}
	}
	switch t := t.(type) {
	case *nftext.Match:
		key(&t.Key)
	case *nftext.Value:
		key(&t.Key)
	case *nftext.Flush:
		key(&t.Key)
	case *nftext.Assign:
		key(&t.Key)
		switch {
		case t.Nested != nil:
			key(&t.Nested.Key)
		case !packet:
			add(t.Source)
		}
	}
	return names
}
