// SPDX-License-Identifier: MIT

package rule

import (
	"encoding/binary"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// newEncoder returns an encoder of nf_tables' attributes: numbers in network
// order.
func newEncoder() *netlink.AttributeEncoder {
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	return e
}

// appendAttr appends one netlink attribute, padded, to b.
func appendAttr(b []byte, typ uint16, v []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.NLA_HDRLEN+len(v)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, v...)
	for len(b)%unix.NLA_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}

// data writes an attribute that holds a value.
func data(e *netlink.AttributeEncoder, typ uint16, value []byte) {
	e.Nested(typ, func(e *netlink.AttributeEncoder) error {
		e.Bytes(unix.NFTA_DATA_VALUE, value)
		return nil
	})
}

// native returns n as the kernel's registers hold numbers.
func native(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// port returns n as packets carry it.
func port(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

// swapped returns v in the other byte order of this machine: network order for
// host order, and the other way round.
func swapped(v []byte) []byte {
	v = slices.Clone(v)
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		slices.Reverse(v)
	}
	return v
}

// zeros returns n zero bytes.
func zeros(n int) []byte { return make([]byte, n) }
