// SPDX-License-Identifier: MIT

package front

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// socket is a netlink socket of nft's, held by a second descriptor.
type socket struct {
	link    string // what /proc names it, to know when nft's number means another file
	fd      int    // -1: no nf_tables socket
	moved   moves  // of the last batch
	pending []byte // the end of a reply that did not fit, for the next receive
	buf     []byte
}

// openSocket takes a second descriptor for file number of the process pidfd.
func openSocket(pidfd, number int, link string) (*socket, error) {
	fd, err := unix.PidfdGetfd(pidfd, number, 0)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d of nft: %w", number, traced(err))
	}
	s := &socket{link: link, fd: fd}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err == nil && domain == unix.AF_NETLINK {
		var protocol int
		if protocol, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err == nil && protocol == unix.NETLINK_NETFILTER {
			s.buf = make([]byte, 1<<17)
			return s, nil
		}
	}
	unix.Close(fd)
	s.fd = -1 // some other file or socket
	return s, nil
}

func (s *socket) close() {
	if s.fd >= 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

// fdLink returns what stands behind a descriptor, such as "socket:[4711]".
func fdLink(pid, number int) (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, number))
}

// send sends b to the kernel, which has answered when it returns. extra is how
// much longer b is than what nft made room for.
func (s *socket) send(b []byte, extra int) error {
	grow(s.fd, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, len(b), 0)
	grow(s.fd, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, 0, 2*max(extra, 0))
	for {
		err := unix.Sendto(s.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if err != unix.EINTR {
			return err
		}
	}
}

// grow makes a socket buffer at least that large, or larger by more. Where it may
// not, the send or receive will tell.
func grow(fd, option, force, least, more int) {
	have, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option)
	if err != nil {
		return
	}
	want := max(have/2+more, least) // the kernel keeps twice what is asked for
	if 2*want <= have {
		return
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, want) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, want)
	}
}

// peek returns the next datagram without taking it, and its sender. The bytes are
// valid until the next call.
func (s *socket) peek() ([]byte, unix.SockaddrNetlink, error) {
	for {
		n, _, _, from, err := unix.Recvmsg(s.fd, s.buf, nil, unix.MSG_PEEK|unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, unix.SockaddrNetlink{}, err
		case n > len(s.buf):
			s.buf = make([]byte, n)
			continue
		}
		sender, _ := from.(*unix.SockaddrNetlink)
		if sender == nil {
			sender = &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
		}
		return s.buf[:n], *sender, nil
	}
}

// take removes the datagram that peek returned.
func (s *socket) take() error {
	for {
		_, _, err := unix.Recvfrom(s.fd, s.buf[:0], unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		if err != unix.EINTR {
			return err
		}
	}
}

// blocking reports whether nft left the socket in blocking mode.
func (s *socket) blocking() bool {
	flags, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_NONBLOCK == 0
}

// rawAddress returns a netlink address as the kernel writes it.
func rawAddress(a unix.SockaddrNetlink) []byte {
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_NETLINK)
	b = append(b, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, a.Pid)
	return binary.NativeEndian.AppendUint32(b, a.Groups)
}
