// SPDX-License-Identifier: MIT

package torture

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// socket is a netlink socket in the namespace of the thread that opened it. It
// does one system call for each request, so that the faults of a thread are
// those of the request. One caller uses it at a time.
type socket struct {
	fd  int
	seq uint32
	buf []byte
}

// errSilent is returned where an answer was due and there is none.
var errSilent = errors.New("no answer")

func dial(protocol int) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	s := &socket{fd: fd, buf: make([]byte, 1<<20)}
	for _, option := range []int{unix.SO_SNDBUFFORCE, unix.SO_RCVBUFFORCE} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 8<<20); err != nil {
			return nil, errors.Join(fmt.Errorf("netlink socket: %w", err), s.close())
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1); err != nil {
		return nil, errors.Join(fmt.Errorf("netlink socket: %w", err), s.close())
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, errors.Join(fmt.Errorf("netlink socket: %w", err), s.close())
	}
	return s, nil
}

func (s *socket) close() error { return unix.Close(s.fd) }

// message returns a netlink message with the next sequence number.
func (s *socket) message(typ, flags uint16, body []byte) []byte {
	s.seq++
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, s.seq)
	b = append(append(b, 0, 0, 0, 0), body...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// send hands a datagram to the kernel, which deals with all of it meanwhile.
func (s *socket) send(b []byte) error {
	return unix.Sendto(s.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// part is one message of an answer.
type part struct {
	typ, flags uint16
	seq        uint32
	body       []byte // valid until the next call
}

// errno returns the error that a part tells of, 0 for none.
func (p part) errno() unix.Errno {
	if (p.typ == unix.NLMSG_ERROR || p.typ == unix.NLMSG_DONE) && len(p.body) >= 4 {
		return unix.Errno(-int32(binary.NativeEndian.Uint32(p.body)))
	}
	return 0
}

// drain takes all messages that wait, without waiting for more: a dump goes on
// by being read. f may be nil.
func (s *socket) drain(f func(part)) error {
	for {
		n, _, err := unix.Recvfrom(s.fd, s.buf, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		}
		for b := s.buf[:n]; len(b) >= unix.NLMSG_HDRLEN; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < unix.NLMSG_HDRLEN || size > len(b) {
				return fmt.Errorf("message of %d bytes in %d", size, len(b))
			}
			if f != nil {
				f(part{binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:]), binary.NativeEndian.Uint32(b[8:]), b[unix.NLMSG_HDRLEN:size]})
			}
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

// do sends a request, asks for an acknowledgement and calls f, which may be
// nil, with what comes before it. The error is the kernel's errno, or
// errSilent.
func (s *socket) do(typ, flags uint16, body []byte, f func(part)) error {
	if err := s.send(s.message(typ, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK, body)); err != nil {
		return err
	}
	seq, failed := s.seq, error(errSilent)
	err := s.drain(func(p part) {
		switch {
		case p.seq != seq:
		case p.typ == unix.NLMSG_ERROR, p.typ == unix.NLMSG_DONE:
			failed = nil
			if e := p.errno(); e != 0 {
				failed = e
			}
		case f != nil:
			f(p)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// family is the module's generic netlink family.
type family struct {
	*socket
	id    uint16
	group uint32
}

const (
	ctrlGetFamily   = 3
	ctrlFamilyID    = 1
	ctrlFamilyName  = 2
	ctrlGroups      = 7
	ctrlGroupID     = 2
	familyName      = "nft_dict"
	familyVersion   = 1
	genlHeaderBytes = 4
)

// openFamily opens a socket and asks for the family.
func openFamily() (*family, error) {
	s, err := dial(unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	f := &family{socket: s}
	if err := f.resolve(); err != nil {
		return nil, errors.Join(fmt.Errorf("family %s: %w", familyName, err), s.close())
	}
	return f, nil
}

// resolve asks for the numbers of the family, which change when it comes anew.
func (f *family) resolve() error {
	name := node{typ: ctrlFamilyName, data: []byte(familyName + "\x00")}
	return f.do(unix.GENL_ID_CTRL, 0, name.append([]byte{ctrlGetFamily, 1, 0, 0}), func(p part) {
		for _, a := range parse(p.body[min(genlHeaderBytes, len(p.body)):]) {
			switch a.typ {
			case ctrlFamilyID:
				f.id = binary.NativeEndian.Uint16(a.data)
			case ctrlGroups:
				for _, g := range parse(a.data) {
					for _, a := range parse(g.data) {
						if a.typ == ctrlGroupID {
							f.group = binary.NativeEndian.Uint32(a.data)
						}
					}
				}
			}
		}
	})
}

// command does one command of the family.
func (f *family) command(cmd uint8, flags uint16, attrs []*node, reply func([]*node)) error {
	return f.do(f.id, flags, encode([]byte{cmd, familyVersion, 0, 0}, attrs), func(p part) {
		if reply != nil && p.typ == f.id && len(p.body) >= genlHeaderBytes {
			reply(parse(p.body[genlHeaderBytes:]))
		}
	})
}

// listen makes the socket receive all changes.
func (f *family) listen() error {
	return unix.SetsockoptInt(f.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(f.group))
}
