// SPDX-License-Identifier: MIT

package queue

import (
	"errors"
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/internal/nowait"
)

// burst is how many packets are read at once.
const burst = 8

// room is for what comes with a packet's bytes: its other attributes, the
// conntrack entry among them.
const room = 4 << 10

// socket is a netlink socket without what the library does for each message: a
// goroutine, a look at the length beforehand and a dozen allocations.
type socket struct {
	conn *netlink.Conn // makes it, in its namespace, and closes it
	raw  syscall.RawConn
	seq  uint32

	space   []byte
	vectors [burst]unix.Iovec
	heads   [burst]arrived
}

// arrived is a struct mmsghdr.
type arrived struct {
	unix.Msghdr
	size uint32
}

func newSocket(netns int) (*socket, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &socket{conn: conn, raw: raw}, nil
}

// expect makes room for packets of up to size bytes.
func (s *socket) expect(size int) {
	size += room
	s.space = make([]byte, burst*size)
	for i := range s.vectors {
		s.vectors[i].Base = &s.space[i*size]
		s.vectors[i].SetLen(size)
		s.heads[i].Iov = &s.vectors[i]
		s.heads[i].SetIovlen(1)
	}
}

// receive reads what is there, and does not wait: fewer than burst datagrams leave
// the socket dry. The error is unix.EAGAIN if it is.
func (s *socket) receive(fd int) (n int, err error) {
	return nowait.ReceiveMany(fd, unsafe.Pointer(&s.heads), burst)
}

// datagram returns the i-th that was received, cut off if there was no room for it.
// The bytes are the socket's.
func (s *socket) datagram(i int) []byte {
	size := len(s.space) / burst
	return s.space[i*size:][:min(int(s.heads[i].size), size)]
}

// send sends a message that asks for no answer: who reads would get it.
func (s *socket) send(m message) error {
	var failed error
	err := s.raw.Write(func(fd uintptr) bool {
		failed = nowait.Write(int(fd), m.whole())
		return true
	})
	return errors.Join(failed, err)
}

// answerTimeout bounds the wait for the kernel's answer to a configuration.
const answerTimeout = 5 * time.Second

// configure sends a configuration of a queue and returns the kernel's refusal, if it
// refuses. Datagrams of other messages that come before its answer are returned, too.
func (s *socket) configure(num uint16, attrs func(message) message) (early [][]byte, err error) {
	s.seq++
	if err := s.send(attrs(newMessage(msgConfig, unix.NLM_F_REQUEST|unix.NLM_F_ACK, s.seq, num))); err != nil {
		return nil, err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	answered := false
	failed := s.raw.Read(func(fd uintptr) bool {
		for !answered && err == nil {
			var n int
			if n, err = s.receive(int(fd)); errors.Is(err, unix.EAGAIN) {
				err = nil
				return false
			}
			for i := range n {
				b := s.datagram(i)
				if m, _, ok := next(b); ok && m.typ == unix.NLMSG_ERROR && m.seq == s.seq {
					if answered = true; m.errno != 0 {
						err = m.errno
					}
					continue
				}
				early = append(early, append([]byte(nil), b...))
			}
		}
		return true
	})
	return early, errors.Join(err, failed, s.conn.SetReadDeadline(time.Time{}))
}

// setBuffer sets the receive buffer, beyond rmem_max where that is allowed.
func (s *socket) setBuffer(bytes int) (err error) {
	cerr := s.raw.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes); err != nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, bytes)
		}
	})
	if err = errors.Join(cerr, err); err != nil {
		return fmt.Errorf("receive buffer of %d bytes: %w", bytes, err)
	}
	return nil
}
