// SPDX-License-Identifier: MIT

// Package nowait makes system calls on sockets of netlink that the kernel serves at
// once, and does not tell Go's scheduler of them.
//
// The scheduler takes a system call for one that may wait: it wakes a thread that looks
// whether it does, every 20 µs, and has others take over meanwhile. For a packet that is
// read, written of and let go with five calls that is more than the calls themselves.
//
// It refuses nothing, so whoever uses it sees to it that the socket does not make it
// wait, and that what he sends is short: the collector of garbage waits for him.
package nowait

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Write writes a datagram, which must not be empty.
func Write(fd int, b []byte) error {
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// Receive reads a datagram into b, which must not be empty. The error is unix.EAGAIN if
// there is none. With unix.MSG_TRUNC among the flags n is its length, though b be shorter.
func Receive(fd int, b []byte, flags int) (n int, err error) {
	for {
		r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(unix.MSG_DONTWAIT|flags), 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// ReceiveMany reads as many datagrams as there are, and no more than there are headers,
// each of which is a struct mmsghdr. The error is unix.EAGAIN if there are none.
func ReceiveMany(fd int, headers unsafe.Pointer, count int) (n int, err error) {
	for {
		r, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(headers), uintptr(count), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// Rung tells how many of at most one of the files in an epoll instance are ready.
func Rung(epoll int) (n int, err error) {
	var event unix.EpollEvent
	for {
		r, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&event)), 1, 0, 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// Rearm has an epoll instance tell once more of a file that is in it.
func Rearm(epoll, fd int, events uint32) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), unix.EPOLL_CTL_MOD, uintptr(fd), uintptr(unsafe.Pointer(&unix.EpollEvent{Events: events})), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
