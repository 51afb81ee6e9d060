// SPDX-License-Identifier: MIT

package conntrack

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Offloaded calls f for every confirmed connection that a flowtable carries past the
// rules. The Flow is the Client's. Kernels from 5.19 on look for them by themselves.
func (c *Client) Offloaded(f func(*Flow)) error {
	return c.offloaded(0, func(*netlink.AttributeEncoder) {}, f)
}

// OffloadedAt is Offloaded for those that addresses have opened, or answer, each once or
// more often. Kernels from 5.8 on look for those of an address of IPv4 by themselves, in all
// that they track, twice. Of IPv6 all are looked at here: kernels up to 6.1 at least show
// those of all other addresses instead (ctnetlink_filter_match_tuple).
func (c *Client) OffloadedAt(addrs []netip.Addr, f func(*Flow)) error {
	at := func(flow *Flow) {
		if slices.Contains(addrs, flow.Orig.Src()) || slices.Contains(addrs, flow.Reply.Src()) {
			f(flow)
		}
	}
	for _, a := range addrs {
		if !a.Is4() {
			continue
		}
		from := NewTuple(0, netip.AddrPortFrom(a, 0), netip.AddrPortFrom(a, 0))
		for _, attr := range []uint16{ctaTupleOrig, ctaTupleReply} {
			if err := c.offloaded(4, func(e *netlink.AttributeEncoder) {
				encodeTupleAs(e, attr, &from)
				e.Nested(ctaFilter, func(e *netlink.AttributeEncoder) error {
					e.Bytes(attr, binary.NativeEndian.AppendUint32(nil, ctaFilterSrc)) // named as the tuples are
					return nil
				})
			}, at); err != nil {
				return err
			}
		}
	}
	if slices.ContainsFunc(addrs, netip.Addr.Is6) {
		return c.offloaded(6, func(*netlink.AttributeEncoder) {}, at)
	}
	return nil
}

// offloaded is Offloaded of those that further attributes ask for.
func (c *Client) offloaded(family uint8, further func(*netlink.AttributeEncoder), f func(*Flow)) error {
	e := newEncoder()
	e.Uint32(ctaStatus, statusOffload)
	e.Uint32(ctaStatusMask, statusOffload)
	further(e)
	attrs, err := e.Encode()
	if err != nil {
		return fmt.Errorf("conntrack dump: %w", err)
	}
	var flow Flow
	err = c.request(unix.NLM_F_DUMP, family, attrs, func(m message) error {
		if err := m.flow(&flow); err != nil {
			return err
		}
		if flow.Offloaded() && !flow.Dying() {
			f(&flow)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("conntrack dump: %w", err)
	}
	return nil
}

// Attributes that choose what is dumped.
const (
	ctaFilter     = 25 // of tuples; what is in it says which of their parts count
	ctaStatusMask = 26

	ctaFilterSrc = 1 << 0 // the source address: CTA_FILTER_F_CTA_IP_SRC of nf_internals.h
)

// requestTo returns a request of ctnetlink about a connection.
func requestTo(typ uint16, flags netlink.HeaderFlags, seq uint32, family uint8, attrs []byte) netlink.Message {
	l3 := uint8(unix.AF_INET)
	if family == 6 {
		l3 = unix.AF_INET6
	}
	return netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(typ), Flags: netlink.Request | netlink.Acknowledge | flags, Sequence: seq},
		Data:   append([]byte{l3, unix.NFNETLINK_V0, 0, 0}, attrs...),
	}
}
