// SPDX-License-Identifier: MIT

package conntrack

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// Netlink multicast groups and messages of ctnetlink.
const (
	groupNew     = 1
	groupDestroy = 3

	subsysConntrack = 1
	msgNew          = subsysConntrack << 8
	msgGet          = subsysConntrack<<8 | 1
	msgDelete       = subsysConntrack<<8 | 2

	genHeader = 4 // bytes of struct nfgenmsg
)

// message is one netlink message; body is behind the netlink header.
type message struct {
	typ   uint16
	flags uint16
	seq   uint32
	body  []byte
}

// eachMessage splits a datagram. It returns false at the first message that
// does not fit.
func eachMessage(b []byte, f func(m message) (bool, error)) (more bool, err error) {
	for len(b) >= unix.NLMSG_HDRLEN {
		n := int(binary.NativeEndian.Uint32(b))
		if n < unix.NLMSG_HDRLEN || n > len(b) {
			return false, fmt.Errorf("netlink message of %d bytes in %d: %w", n, len(b), errAttributes)
		}
		more, err := f(message{
			typ:   binary.NativeEndian.Uint16(b[4:]),
			flags: binary.NativeEndian.Uint16(b[6:]),
			seq:   binary.NativeEndian.Uint32(b[8:]),
			body:  b[unix.NLMSG_HDRLEN:n],
		})
		if err != nil || !more {
			return false, err
		}
		b = b[min(len(b), (n+3)&^3):]
	}
	return true, nil
}

// flow reads the entry of a NEW or DELETE message.
func (m message) flow(f *Flow) error {
	if len(m.body) < genHeader {
		return errAttributes
	}
	return ParseFlow(m.body[genHeader:], f)
}

// errno returns the error of an NLMSG_ERROR, nil for an acknowledgement.
func (m message) errno() error {
	if len(m.body) < 4 {
		return errAttributes
	}
	if e := int32(binary.NativeEndian.Uint32(m.body)); e != 0 {
		return unix.Errno(-e)
	}
	return nil
}
