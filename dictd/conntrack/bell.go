// SPDX-License-Identifier: MIT

package conntrack

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/internal/nowait"
)

// bell rings once when a socket has something to be read, and then not until it is armed
// again: Go's poller wakes for every datagram of its own sockets.
type bell struct {
	file *os.File // an epoll instance, in which the socket is, and which is in Go's
	raw  syscall.RawConn
	fd   int // the socket
}

// newBell returns an armed bell of a socket.
func newBell(fd int) (*bell, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	err = errors.Join(unix.SetNonblock(ep, true), unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: once}))
	b := &bell{file: os.NewFile(uintptr(ep), "epoll"), fd: fd}
	if err == nil {
		b.raw, err = b.file.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(err, b.file.Close())
	}
	return b, nil
}

const once = unix.EPOLLIN | unix.EPOLLONESHOT

// wait returns when it rings, with an error when it is silenced.
func (b *bell) wait() error {
	var failed error
	err := b.raw.Read(func(ep uintptr) bool {
		n, err := nowait.Rung(int(ep))
		failed = os.NewSyscallError("epoll_pwait", err)
		return n > 0 || failed != nil
	})
	return errors.Join(failed, err)
}

// arm has it ring once more, at once if there is something already.
func (b *bell) arm() error {
	var failed error
	err := b.raw.Control(func(ep uintptr) {
		failed = os.NewSyscallError("epoll_ctl", nowait.Rearm(int(ep), b.fd, once))
	})
	return errors.Join(failed, err)
}

// silence has wait return, now and from then on.
func (b *bell) silence() { _ = b.file.SetReadDeadline(time.Unix(1, 0)) }

// close releases the bell; the socket stays.
func (b *bell) close() error { return b.file.Close() }
