// SPDX-License-Identifier: MIT

package conntrack

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Offloaded calls f for every confirmed connection that a flowtable carries past the
// rules. The Flow is the Client's. Kernels from 5.19 on look for them by themselves.
func (c *Client) Offloaded(f func(*Flow)) error {
	e := newEncoder()
	e.Uint32(ctaStatus, statusOffload)
	e.Uint32(ctaStatusMask, statusOffload)
	attrs, err := e.Encode()
	if err != nil {
		return fmt.Errorf("conntrack dump: %w", err)
	}
	var flow Flow
	err = c.request(unix.NLM_F_DUMP, 0, attrs, func(m message) error {
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

const ctaStatusMask = 26

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
