// SPDX-License-Identifier: MIT

package torture

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// node is an attribute: bytes, or attributes.
type node struct {
	typ  uint16 // with flags
	data []byte
	kids []*node // instead of data, if nest
	nest bool
	lie  int // length that the header tells, if not 0
}

func raw(typ int, data []byte) *node { return &node{typ: uint16(typ), data: data} }

func text(typ int, s string) *node { return raw(typ, append([]byte(s), 0)) }

func u32(typ int, n uint32) *node { return raw(typ, binary.NativeEndian.AppendUint32(nil, n)) }

func be32(typ int, n uint32) *node { return raw(typ, binary.BigEndian.AppendUint32(nil, n)) }

func nest(typ int, kids ...*node) *node {
	return &node{typ: uint16(typ) | unix.NLA_F_NESTED, kids: kids, nest: true}
}

// append appends the attribute as it is on the wire.
func (n *node) append(b []byte) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	if n.nest {
		b = encode(b, n.kids)
	} else {
		b = append(b, n.data...)
	}
	size := len(b) - at
	if n.lie != 0 {
		size = n.lie
	}
	binary.NativeEndian.PutUint16(b[at:], uint16(size))
	binary.NativeEndian.PutUint16(b[at+2:], n.typ)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func encode(b []byte, list []*node) []byte {
	for _, n := range list {
		b = n.append(b)
	}
	return b
}

// parse reads attributes without their flags, as far as they can be read.
func parse(b []byte) (list []*node) {
	for len(b) >= 4 {
		size := int(binary.NativeEndian.Uint16(b))
		if size < 4 || size > len(b) {
			break
		}
		typ := binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		list = append(list, &node{typ: typ, data: bytes.Clone(b[4:size])})
		b = b[min((size+3)&^3, len(b)):]
	}
	return list
}

// clone copies an attribute and all in it.
func (n *node) clone() *node {
	c := *n
	c.data = bytes.Clone(n.data)
	c.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		c.kids[i] = k.clone()
	}
	return &c
}

// places returns all attributes below n, each with the one that holds it.
func (n *node) places(list []place) []place {
	for i, k := range n.kids {
		list = k.places(append(list, place{n, i}))
	}
	return list
}

type place struct {
	in *node
	at int
}

func (p place) node() *node { return p.in.kids[p.at] }
