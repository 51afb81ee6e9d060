// SPDX-License-Identifier: MIT

package guest

import (
	"encoding/binary"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// once has the kernel make the secrets of its hash tables before anything is tested. It
// makes each when it is first used, and then rewrites the instructions there that have
// asked whether it is made (the kernel's include/linux/once.h). Where packets are on
// another processor at that moment, emulated processors may never come out of there, or
// meet the breakpoint that is put there meanwhile. Here nothing else runs.
func once() {
	for _, to := range []string{"127.0.0.1:0", "[::1]:0"} {
		connectOnce(to)
		sendOnce(to)
	}
	trackOnce()
	time.Sleep(50 * time.Millisecond) // it rewrites a moment later
}

// connectOnce makes a connection of TCP, for the table of sockets; without IPv6, none.
func connectOnce(to string) {
	l, err := net.Listen("tcp", to)
	if err != nil {
		return
	}
	defer l.Close()
	for range 2 { // the second finds the secret made
		c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
		if err != nil {
			return
		}
		_ = c.(*net.TCPConn).SetLinger(0) // nothing is left of it
		c.Close()
		time.Sleep(10 * time.Millisecond)
	}
}

// sendOnce sends a datagram from a socket that is connected.
func sendOnce(to string) {
	c, err := net.ListenPacket("udp", to)
	if err != nil {
		return
	}
	defer c.Close()
	s, err := net.Dial("udp", c.LocalAddr().String())
	if err != nil {
		return
	}
	defer s.Close()
	_, _ = s.Write([]byte{0})
}

// trackOnce asks conntrack for a connection that there is not, for its table: where there
// is no conntrack nobody answers.
func trackOnce() {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	// The attributes of linux/netfilter/nfnetlink_conntrack.h, in host order but for ports:
	// CTA_TUPLE_ORIG of CTA_TUPLE_IP (source, destination) and CTA_TUPLE_PROTO (number,
	// ports).
	const (
		ctaTupleOrig, ctaTupleIP, ctaTupleProto = 1, 1, 2
		ctaProtoNum, ctaSrcPort, ctaDstPort     = 1, 2, 3
		ctGet                                   = unix.NFNL_SUBSYS_CTNETLINK<<8 | 1
	)
	tuple := attribute(ctaTupleOrig|unix.NLA_F_NESTED, append(
		attribute(ctaTupleIP|unix.NLA_F_NESTED, append(attribute(1, []byte{127, 0, 0, 1}), attribute(2, []byte{127, 0, 0, 1})...)),
		attribute(ctaTupleProto|unix.NLA_F_NESTED, append(append(attribute(ctaProtoNum, []byte{unix.IPPROTO_UDP}),
			attribute(ctaSrcPort, []byte{0, 1})...), attribute(ctaDstPort, []byte{0, 1})...))...))
	m := make([]byte, unix.SizeofNlMsghdr+4, 128)
	binary.NativeEndian.PutUint16(m[4:], ctGet)
	binary.NativeEndian.PutUint16(m[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	m[unix.SizeofNlMsghdr] = unix.AF_INET
	m = append(m, tuple...)
	binary.NativeEndian.PutUint32(m, uint32(len(m)))
	_ = unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// attribute is one of netlink's, padded.
func attribute(kind uint16, value []byte) []byte {
	a := make([]byte, 4, 4+len(value)+3)
	binary.NativeEndian.PutUint16(a, uint16(4+len(value)))
	binary.NativeEndian.PutUint16(a[2:], kind)
	a = append(a, value...)
	return append(a, make([]byte, -len(a)&3)...)
}
