// SPDX-License-Identifier: MIT

package overheard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"nftdict/dictd/netns"
)

// Config says where and how to listen.
type Config struct {
	NetNS int // descriptor of the network namespace; 0 means the caller's
	// Handle is called from Run; the message is its own. It may be called by two
	// goroutines at once.
	Handle func(*Message)
}

// MaxRate is how many messages a second are looked at, of either family.
const MaxRate = 2000

// buffer is the size of a socket's receive buffer in bytes, maxPacket that of
// what is read of a packet.
const (
	buffer    = 1 << 20
	maxPacket = 9216
)

// Listener hears what devices say.
type Listener struct {
	cfg   Config
	ears  [2]*ear // IPv4, IPv6
	links atomic.Pointer[map[uint32]string]

	heard, refused, hurried atomic.Uint64
}

// ear is the socket of a family.
type ear struct {
	file   *os.File
	raw    syscall.RawConn
	groups [][6]byte // as frames have them

	second int64 // that is counted
	count  int
}

// Listen opens the sockets. Nothing is heard before SetLinks. Close must follow.
func Listen(cfg Config) (*Listener, error) {
	l := &Listener{cfg: cfg}
	l.links.Store(&map[uint32]string{})
	for i, open := range [...]struct {
		proto  uint16
		filter []unix.SockFilter
		groups [][6]byte
	}{
		{unix.ETH_P_IP, filter4(), [][6]byte{{1, 0, 0x5e, 0, 0, 0xfb}, {1, 0, 0x5e, 0, 0, 0xfc}}},
		// Of multicast DNS, LLMNR, and servers of DHCP.
		{unix.ETH_P_IPV6, filter6(), [][6]byte{{0x33, 0x33, 0, 0, 0, 0xfb}, {0x33, 0x33, 0, 1, 0, 3}, {0x33, 0x33, 0, 1, 0, 2}}},
	} {
		var fd int
		err := netns.Do(cfg.NetNS, func() (err error) {
			fd, err = socket(open.proto, open.filter)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("overheard: %w", errors.Join(err, l.Close()))
		}
		e := &ear{file: os.NewFile(uintptr(fd), "packets"), groups: open.groups}
		l.ears[i] = e
		if e.raw, err = e.file.SyscallConn(); err != nil {
			return nil, fmt.Errorf("overheard: %w", errors.Join(err, l.Close()))
		}
	}
	return l, nil
}

// socket opens a packet socket that gets nothing but what passes the filter.
func socket(proto uint16, filter []unix.SockFilter) (fd int, err error) {
	if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		return -1, err
	}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	if err == nil { // from here on packets come
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto<<8 | proto>>8})
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// Close releases the sockets.
func (l *Listener) Close() error {
	var errs []error
	for _, e := range l.ears {
		if e != nil {
			errs = append(errs, e.file.Close())
		}
	}
	return errors.Join(errs...)
}

// SetLinks says which interfaces are listened to, by index. It is called by one
// goroutine at a time.
func (l *Listener) SetLinks(links map[uint32]string) {
	links, was := maps.Clone(links), *l.links.Load()
	for index := range links {
		if _, there := was[index]; !there {
			l.join(unix.PACKET_ADD_MEMBERSHIP, index)
		}
	}
	for index := range was {
		if _, stays := links[index]; !stays {
			l.join(unix.PACKET_DROP_MEMBERSHIP, index)
		}
	}
	l.links.Store(&links)
}

// join has a card take frames of the groups in, or not any more. What cannot be is
// not heard; the device may be gone already.
func (l *Listener) join(how int, index uint32) {
	for _, e := range l.ears {
		_ = e.raw.Control(func(fd uintptr) {
			for _, g := range e.groups {
				m := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_MULTICAST, Alen: uint16(len(g))}
				copy(m.Address[:], g[:])
				_ = unix.SetsockoptPacketMreq(int(fd), unix.SOL_PACKET, how, &m)
			}
		})
	}
}

// Run hears until ctx ends. Close must follow.
func (l *Listener) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		for _, e := range l.ears {
			e.file.SetReadDeadline(time.Unix(1, 0))
		}
	})
	defer stop()
	var tasks errgroup.Group
	for _, e := range l.ears {
		tasks.Go(func() error {
			buf := make([]byte, maxPacket)
			for {
				err := l.receive(e, buf)
				if ctx.Err() != nil {
					return nil
				}
				if err != nil {
					return fmt.Errorf("overheard: %w", err)
				}
			}
		})
	}
	return tasks.Wait()
}

// receive waits for a packet and handles it.
func (l *Listener) receive(e *ear, buf []byte) error {
	var n int
	var from unix.Sockaddr
	var failed error
	err := e.raw.Read(func(fd uintptr) bool {
		n, from, failed = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
		return !errors.Is(failed, unix.EAGAIN)
	})
	switch {
	case err != nil:
		return err
	case errors.Is(failed, unix.EINTR), errors.Is(failed, unix.ENETDOWN), errors.Is(failed, unix.ENOBUFS): // an interface went; others go on
		return nil
	case failed != nil:
		return failed
	}
	at, ok := from.(*unix.SockaddrLinklayer)
	if !ok || at.Halen != 6 {
		return nil
	}
	if _, inside := (*l.links.Load())[uint32(at.Ifindex)]; !inside {
		return nil
	}
	if now := time.Now().Unix(); now != e.second {
		e.second, e.count = now, 0
	}
	if e.count++; e.count > MaxRate {
		l.hurried.Add(1)
		return nil
	}
	m, ok := Parse(buf[:n], [6]byte(at.Addr[:6]))
	if !ok {
		l.refused.Add(1)
		return nil
	}
	l.heard.Add(1)
	l.cfg.Handle(&m)
	return nil
}

// Stats are a Listener's counters.
type Stats struct {
	Heard   uint64 `json:"heard"`   // messages that say something of who sent them
	Refused uint64 `json:"refused"` // others, most of them questions
	Hurried uint64 `json:"hurried"` // not looked at: too many in a second
}

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	return Stats{l.heard.Load(), l.refused.Load(), l.hurried.Load()}
}
