// SPDX-License-Identifier: MIT

package overheard

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/netns"
)

// buffer is the size of a socket's receive buffer in bytes, maxPacket that of
// what is read of a packet.
const (
	buffer    = 1 << 20
	maxPacket = 9216
)

// family is what a socket hears of an interface.
type family struct {
	proto  uint16
	filter []unix.SockFilter
	groups [][6]byte // as frames have them
}

// families returns both: with the groups of multicast DNS, LLMNR, and of servers of
// DHCP.
func families() []family {
	return []family{
		{unix.ETH_P_IP, filter4(), [][6]byte{{1, 0, 0x5e, 0, 0, 0xfb}, {1, 0, 0x5e, 0, 0, 0xfc}}},
		{unix.ETH_P_IPV6, filter6(), [][6]byte{{0x33, 0x33, 0, 0, 0, 0xfb}, {0x33, 0x33, 0, 1, 0, 3}, {0x33, 0x33, 0, 1, 0, 2}}},
	}
}

// ear is the socket of a family on an interface: packets of others pass it by.
type ear struct {
	file *os.File
	raw  syscall.RawConn

	second int64 // that is counted
	count  int
}

// openEar opens an ear on an interface; one on 0 hears nothing.
func openEar(ns, index int, f family) (*ear, error) {
	fd := -1
	err := netns.Do(ns, func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	e := &ear{file: os.NewFile(uintptr(fd), "packets")}
	if err = f.set(fd, index); err == nil {
		e.raw, err = e.file.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(err, e.file.Close())
	}
	return e, nil
}

// set has a socket hear a family on an interface, and its card take the groups in.
func (f *family) set(fd, index int) error {
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(f.filter)), Filter: &f.filter[0]})
	if err != nil || index == 0 {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer); err != nil {
		return err
	}
	for _, g := range f.groups {
		m := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_MULTICAST, Alen: uint16(len(g))}
		copy(m.Address[:], g[:])
		if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return err
		}
	}
	return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: f.proto<<8 | f.proto>>8, Ifindex: index}) // from here on packets come
}

// receive waits for a packet and handles it. It returns false when the ear is
// closed.
func (l *Listener) receive(e *ear, buf []byte) bool {
	var n int
	var from unix.Sockaddr
	var failed error
	err := e.raw.Read(func(fd uintptr) bool {
		n, from, failed = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
		return !errors.Is(failed, unix.EAGAIN)
	})
	if err != nil {
		return false
	}
	if failed != nil { // the interface went down, or the kernel is short of memory
		return true
	}
	at, ok := from.(*unix.SockaddrLinklayer)
	if !ok || at.Halen != 6 {
		return true
	}
	if now := time.Now().Unix(); now != e.second {
		e.second, e.count = now, 0
	}
	if e.count++; e.count > MaxRate {
		l.hurried.Add(1)
		return true
	}
	m, ok := Parse(buf[:n], [6]byte(at.Addr[:6]))
	if !ok {
		l.refused.Add(1)
		return true
	}
	l.heard.Add(1)
	l.cfg.Handle(&m)
	return true
}
