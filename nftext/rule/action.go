// SPDX-License-Identifier: MIT

package rule

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Notrack keeps the packet out of conntrack, in filter chains at prerouting and
// output whose priority is below -200.
func Notrack() Statement {
	return statement{text: "notrack", help: "notrack needs a kernel with CONFIG_NFT_CT", make: func(b *builder) error {
		if err := b.families(unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_INET); err != nil {
			return err
		}
		if err := b.at("", prerouting|output); err != nil {
			return err
		}
		if p := b.chain.Priority; b.chain.Hooknum != nil && p != nil && *p >= *nftables.ChainPriorityConntrack {
			return fmt.Errorf("%w in chain %s: conntrack, at priority %d, comes before its %d: use -300, nft's raw",
				dict.ErrInvalid, b.chain.Name, *nftables.ChainPriorityConntrack, *p)
		}
		b.add(&expr.Notrack{})
		return nil
	}}
}

// Offload lets the further packets of the connection bypass all hooks, by a
// flowtable of the table, in chains at forward. It acts on TCP and UDP
// connections that are established; what decides about a connection stands
// before it.
func Offload(flowtable string) Statement {
	return statement{text: "flow add @" + flowtable, help: "the flowtable has to be there, in the same table; flow add needs a kernel with CONFIG_NFT_FLOW_OFFLOAD and a chain at forward", make: func(b *builder) error {
		if flowtable == "" {
			return fmt.Errorf("%w: it names no flowtable", dict.ErrInvalid)
		}
		if err := b.families(unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_INET); err != nil {
			return err
		}
		if err := b.at("", forward); err != nil {
			return err
		}
		b.add(&expr.FlowOffload{Name: flowtable})
		return nil
	}}
}

// Synproxy answers TCP's SYN in the server's place, in chains at input and
// forward, and lets the server know of the connection once the client has
// answered in turn. The rule's packets are those that conntrack calls invalid or
// untracked.
type Synproxy struct {
	MSS       uint16 // what is announced; 0 is none
	WScale    uint8  // at most 14
	HasWScale bool
	Timestamp bool
	SACK      bool
}

// String returns the statement as nft writes it.
func (s Synproxy) String() string {
	text := "synproxy"
	if s.MSS != 0 {
		text += fmt.Sprintf(" mss %d", s.MSS)
	}
	if s.HasWScale || s.WScale != 0 {
		text += fmt.Sprintf(" wscale %d", s.WScale)
	}
	if s.Timestamp {
		text += " timestamp"
	}
	if s.SACK {
		text += " sack-perm"
	}
	return text
}

func (Synproxy) remedy() string {
	return "synproxy needs a kernel with CONFIG_NFT_SYNPROXY and a chain at input or forward"
}

func (s Synproxy) build(b *builder) error {
	const most = 14
	if s.WScale > most {
		return fmt.Errorf("wscale %d: %w: at most %d", s.WScale, dict.ErrInvalid, most)
	}
	if err := b.families(unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_INET); err != nil {
		return err
	}
	if err := b.at("", input|forward); err != nil {
		return err
	}
	if err := b.mayBe(TCP); err != nil {
		return err
	}
	b.add(&expr.SynProxy{Mss: s.MSS, Wscale: s.WScale, WscaleValueSet: s.HasWScale, Timestamp: s.Timestamp, SackPerm: s.SACK})
	return nil // and goes on with packets that it has nothing to do with
}

// ClampMSS sets the maximum segment size that a SYN announces, in bytes.
func ClampMSS(size uint16) Statement {
	return statement{text: fmt.Sprintf("tcp option maxseg size set %d", size), make: func(b *builder) error {
		return maxseg(b, func() { b.immediate(reg1, binary.BigEndian.AppendUint16(nil, size)) })
	}}
}

// ClampMSSToRoute sets the maximum segment size that a SYN announces to what
// the packet's route can carry.
func ClampMSSToRoute() Statement {
	return statement{text: "tcp option maxseg size set rt mtu", help: "rt mtu stands at forward, output and postrouting", make: func(b *builder) error {
		if err := b.at("", forward|output|postrouting); err != nil {
			return err
		}
		return maxseg(b, func() {
			b.add(&expr.Rt{Register: reg1, Key: expr.RtTCPMSS})
			b.add(&expr.Byteorder{SourceRegister: reg1, DestRegister: reg1, Op: expr.ByteorderHton, Len: 2, Size: 2})
		})
	}}
}

func maxseg(b *builder, load func()) error {
	const kind, offset, length = 2, 2, 2 // of the option and its size
	if err := b.mayBe(TCP); err != nil {
		return err
	}
	load()
	b.add(&expr.Exthdr{SourceRegister: reg1, Type: kind, Offset: offset, Len: length, Op: expr.ExthdrOpTcpopt})
	return nil
}
