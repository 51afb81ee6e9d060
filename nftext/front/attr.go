// SPDX-License-Identifier: MIT

package front

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// attr is a netlink attribute that aliases the buffer it was read from. The
// decoder of mdlayher/netlink is not used: it hands out copies without their
// offsets, which moving error offsets needs.
type attr struct {
	typ  uint16 // without the nested and byte order flags
	data []byte
	raw  []byte // header and data, unpadded
	off  int    // of the header, from the start of the sequence
}

const (
	attrHeader   = 4
	attrTypeMask = ^uint16(unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
)

var errAttr = errors.New("malformed netlink attribute")

// readAttrs returns the attributes in b.
func readAttrs(b []byte, into []attr) ([]attr, error) {
	for off := 0; off < len(b); {
		rest := b[off:]
		if len(rest) < attrHeader {
			return nil, errAttr
		}
		n := int(binary.NativeEndian.Uint16(rest))
		if n < attrHeader || n > len(rest) {
			return nil, errAttr
		}
		into = append(into, attr{
			typ:  binary.NativeEndian.Uint16(rest[2:]) & attrTypeMask,
			data: rest[attrHeader:n],
			raw:  rest[:n],
			off:  off,
		})
		off += min(align4(n), len(rest))
	}
	return into, nil
}

// pick returns the data of the first attribute of that type, or nil.
func pick(attrs []attr, typ uint16) []byte {
	for _, a := range attrs {
		if a.typ == typ {
			return a.data
		}
	}
	return nil
}

// appendAttr appends an attribute and its padding.
func appendAttr(b []byte, typ uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attrHeader+len(data)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	return pad4(append(b, data...))
}

// appendAttr32 appends an attribute that holds a number in network byte order,
// as nf_tables has them.
func appendAttr32(b []byte, typ uint16, v uint32) []byte {
	return appendAttr(b, typ, binary.BigEndian.AppendUint32(nil, v))
}

// uint32Of reads such a number; ok tells whether data has its size.
func uint32Of(data []byte) (v uint32, ok bool) {
	if len(data) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(data), true
}

func align4(n int) int { return (n + 3) &^ 3 }

func pad4(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// cstring returns the text before the first zero byte.
func cstring(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
