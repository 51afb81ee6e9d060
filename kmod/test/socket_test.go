// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// socket is a netlink socket that shows what libraries hide: where an error
// points to, and every acknowledgement of a batch.
type socket struct {
	fd  int
	seq uint32
	buf []byte
}

// message is a netlink message.
type message struct {
	typ, flags uint16
	seq        uint32
	data       []byte // behind the header
}

// refused is an error of the kernel's.
type refused struct {
	errno  unix.Errno
	text   string
	offset int    // of the offending attribute in the message's data, -1 if none is told
	miss   uint32 // the type that is missing, 0 if none is told
	late   bool   // told at the end of a listing, where older kernels point to nothing
}

func (r *refused) Error() string { return fmt.Sprintf("%v: %s", r.errno, r.text) }
func (r *refused) Unwrap() error { return r.errno }

// newSocket opens a socket in the namespace of the calling thread.
func newSocket(tb testing.TB, protocol int) *socket {
	tb.Helper()
	s, err := openSocket(protocol)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { unix.Close(s.fd) })
	return s
}

func openSocket(protocol int) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 120}),
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
	)
	if errors.Is(err, unix.EPERM) { // the buffers of one without privileges stay as they are
		err = nil
	}
	return &socket{fd: fd, buf: make([]byte, 1<<20)}, err
}

// send sends messages at once, and numbers them.
func (s *socket) send(messages ...message) (first uint32, err error) {
	first = s.seq + 1
	var out []byte
	for _, m := range messages {
		s.seq++
		h := make([]byte, 16)
		binary.NativeEndian.PutUint32(h, uint32(16+len(m.data)))
		binary.NativeEndian.PutUint16(h[4:], m.typ)
		binary.NativeEndian.PutUint16(h[6:], m.flags|unix.NLM_F_REQUEST)
		binary.NativeEndian.PutUint32(h[8:], s.seq)
		out = append(append(out, h...), m.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return first, unix.Sendto(s.fd, out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// receive returns the messages of one datagram.
func (s *socket) receive(flags int) (out []message, err error) {
	n, _, err := unix.Recvfrom(s.fd, s.buf, flags)
	if err != nil {
		return nil, err
	}
	for b := s.buf[:n]; len(b) >= 16; {
		n := int(binary.NativeEndian.Uint32(b))
		if n < 16 || n > len(b) {
			return nil, fmt.Errorf("message of %d bytes in %d", n, len(b))
		}
		out = append(out, message{binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:]), binary.NativeEndian.Uint32(b[8:]), append([]byte{}, b[16:n]...)})
		b = b[min((n+3)&^3, len(b)):]
	}
	return out, nil
}

// result returns the error in the last message of an exchange, nil for an
// acknowledgement. header is the length of the family's header.
func (m *message) result(header int) error {
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(m.data)))
	if errno == 0 {
		return nil
	}
	r := &refused{errno: errno, offset: -1, late: m.typ == unix.NLMSG_DONE}
	at := 4
	if m.typ == unix.NLMSG_ERROR {
		at += 16
		if m.flags&unix.NLM_F_CAPPED == 0 {
			at = 4 + (int(binary.NativeEndian.Uint32(m.data[4:]))+3)&^3
		}
	}
	if m.flags&unix.NLM_F_ACK_TLVS == 0 || at > len(m.data) {
		return r
	}
	for tlvs := m.data[at:]; len(tlvs) >= 8; {
		n := int(binary.NativeEndian.Uint16(tlvs))
		if n < 5 || n > len(tlvs) {
			break
		}
		switch binary.NativeEndian.Uint16(tlvs[2:]) {
		case unix.NLMSGERR_ATTR_MSG:
			r.text = string(tlvs[4 : n-1])
		case unix.NLMSGERR_ATTR_OFFS:
			r.offset = int(binary.NativeEndian.Uint32(tlvs[4:])) - 16 - header
		case 5: // NLMSGERR_ATTR_MISS_TYPE
			r.miss = binary.NativeEndian.Uint32(tlvs[4:])
		}
		tlvs = tlvs[min((n+3)&^3, len(tlvs)):]
	}
	return r
}

// exchange sends a message and returns what is answered until it has been
// dealt with.
func (s *socket) exchange(m message, header int) (out []message, err error) {
	if m.flags&unix.NLM_F_DUMP == 0 {
		m.flags |= unix.NLM_F_ACK
	}
	seq, err := s.send(m)
	if err != nil {
		return nil, err
	}
	for {
		messages, err := s.receive(0)
		if err != nil {
			return out, err
		}
		for _, m := range messages {
			if m.seq != seq {
				continue
			}
			switch m.typ {
			case unix.NLMSG_ERROR, unix.NLMSG_DONE:
				if m.typ == unix.NLMSG_DONE {
					out = append(out, message{typ: m.typ, flags: m.flags})
				}
				return out, m.result(header)
			}
			out = append(out, m)
		}
	}
}
