// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Slow returns what has passed the rules of a connection that is noted, in both
// directions: the elements alone, so that little time passes between this and another
// figure of it. What is not there is 0.
func (f *Flows) Slow(id uint32) (slow [2]uint64, err error) {
	for i := range slow {
		if slow[i], err = f.counter(f.sets[2+i], id); err != nil {
			return slow, fmt.Errorf("read table inet %s: %w", f.conf.Table, err)
		}
	}
	return slow, nil
}

// counter returns the bytes of an element's counter.
func (f *Flows) counter(s *nftables.Set, id uint32) (bytes uint64, err error) {
	e := netlink.NewAttributeEncoder()
	e.String(unix.NFTA_SET_ELEM_LIST_TABLE, f.conf.Table)
	e.String(unix.NFTA_SET_ELEM_LIST_SET, s.Name)
	e.Nested(unix.NLA_F_NESTED|unix.NFTA_SET_ELEM_LIST_ELEMENTS, func(e *netlink.AttributeEncoder) error {
		e.Nested(unix.NLA_F_NESTED|unix.NFTA_LIST_ELEM, func(e *netlink.AttributeEncoder) error {
			e.Nested(unix.NLA_F_NESTED|unix.NFTA_SET_ELEM_KEY, func(e *netlink.AttributeEncoder) error {
				e.Bytes(unix.NFTA_DATA_VALUE, binary.BigEndian.AppendUint32(nil, id))
				return nil
			})
			return nil
		})
		return nil
	})
	attrs, err := e.Encode()
	if err != nil {
		return 0, err
	}
	answers, err := f.ask.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETSETELEM, Flags: netlink.Request},
		Data:   append([]byte{unix.NFPROTO_INET, unix.NFNETLINK_V0, 0, 0}, attrs...),
	})
	if errors.Is(err, unix.ENOENT) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	// Elements, of these the one; its expression, of that the data.
	path := [...]uint16{unix.NFTA_SET_ELEM_LIST_ELEMENTS, unix.NFTA_LIST_ELEM, unix.NFTA_SET_ELEM_EXPR, unix.NFTA_EXPR_DATA, unix.NFTA_COUNTER_BYTES}
	for _, m := range answers {
		if len(m.Data) < 4 {
			continue
		}
		b := m.Data[4:]
		for _, typ := range path {
			if b = inner(b, typ); b == nil {
				break
			}
		}
		if len(b) == 8 {
			return binary.BigEndian.Uint64(b), nil
		}
	}
	return 0, nil
}

// inner returns the first attribute of a type, nil if there is none.
func inner(b []byte, typ uint16) []byte {
	attrs, err := netlink.UnmarshalAttributes(b)
	if err != nil {
		return nil
	}
	for _, a := range attrs {
		if a.Type == typ {
			return a.Data
		}
	}
	return nil
}
