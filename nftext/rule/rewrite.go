// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// bytesOf is where a key's bytes are in a packet, and the checksum over them.
type bytesOf struct {
	base      expr.PayloadBase
	offset    uint32
	sum       uint32 // NFT_PAYLOAD_CSUM_*
	sumOffset uint32
	pseudo    bool // the transport's checksum covers them, too
}

// sctpSum is the kind of checksum that SCTP has.
const sctpSum = 2 // NFT_PAYLOAD_CSUM_SCTP

// rewritten returns a key whose bytes a rule can change.
func rewritten[T any](k Key[T], at bytesOf) Key[T] {
	k.bytes = &at
	return k
}

// Rewrite changes an address or a port in the packet itself, checksums
// included, and nothing of its connection: DNAT and SNAT do that.
func Rewrite[T any](k Key[T], v T) Statement { return RewriteFrom(k, Const(k, v)) }

// RewriteFrom is Rewrite to what a value is for the packet. Where there is none
// the rule ends.
func RewriteFrom[T any](k Key[T], v Value) Statement {
	return statement{text: k.text + " set " + v.String(), make: func(b *builder) error {
		at := k.bytes
		if at == nil || k.mask != nil {
			return fmt.Errorf("%w: a rule rewrites addresses and ports alone", dict.ErrInvalid)
		}
		if have := v.dataType(); have.Bytes != 0 && have.Bytes != k.typ.Bytes {
			return fmt.Errorf("%w: %s has %d bytes, %s %d", dict.ErrInvalid, v, have.Bytes, k.text, k.typ.Bytes)
		}
		if err := k.need(b); err != nil {
			return err
		}
		if err := v.into(b, reg1); err != nil {
			return err
		}
		// google/nftables leaves the flags out where the header has no checksum.
		b.raw("payload", func(e *netlink.AttributeEncoder) {
			e.Uint32(unix.NFTA_PAYLOAD_SREG, reg1)
			e.Uint32(unix.NFTA_PAYLOAD_BASE, uint32(at.base))
			e.Uint32(unix.NFTA_PAYLOAD_OFFSET, at.offset)
			e.Uint32(unix.NFTA_PAYLOAD_LEN, k.typ.Bytes)
			e.Uint32(unix.NFTA_PAYLOAD_CSUM_TYPE, at.sum)
			e.Uint32(unix.NFTA_PAYLOAD_CSUM_OFFSET, at.sumOffset)
			if at.pseudo {
				e.Uint32(unix.NFTA_PAYLOAD_CSUM_FLAGS, unix.NFT_PAYLOAD_L4CSUM_PSEUDOHDR)
			}
		})
		return nil
	}}
}
