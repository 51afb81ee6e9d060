// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listener is the supervisor's end of a seccomp filter: a file descriptor that
// yields the system calls which wait for an answer.
type listener int

// notification is struct seccomp_notif.
type notification struct {
	id    uint64
	pid   uint32 // thread
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

// addFile is struct seccomp_notif_addfd.
type addFile struct {
	id       uint64
	flags    uint32
	file     uint32
	newFile  uint32
	newFlags uint32
}

// errGone means that the caller of a system call no longer waits.
var errGone = errors.New("caller is gone")

func (l listener) ioctl(request uintptr, arg unsafe.Pointer) error {
	_, err := l.request(request, arg)
	return err
}

// request is ioctl with what the kernel returns.
func (l listener) request(request uintptr, arg unsafe.Pointer) (int, error) {
	for {
		val, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(l), request, uintptr(arg))
		switch errno {
		case 0:
			return int(val), nil
		case unix.EINTR:
		case unix.ENOENT:
			return 0, errGone
		default:
			return 0, errno
		}
	}
}

// wakeHere asks the kernel to switch between caller and supervisor on one CPU. It
// only saves time, and older kernels lack it.
func (l listener) wakeHere() {
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(l), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
}

// pending returns nil when there may be a call to receive, errStopped when stop
// is readable or nobody is left who could make one. Before Linux 6.11 receive
// would then wait for ever.
func (l listener) pending(stop int) error {
	fds := []unix.PollFd{{Fd: int32(stop), Events: unix.POLLIN}, {Fd: int32(l), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case fds[0].Revents != 0 || fds[1].Revents&unix.POLLIN == 0:
			return errStopped
		default:
			return nil
		}
	}
}

// receive returns the next system call. errGone means to look at pending again:
// who made the call may be gone, and then receive waits until a signal comes.
func (l listener) receive() (n notification, err error) {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(l), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
	switch errno {
	case 0:
		return n, nil
	case unix.EINTR, unix.ENOENT:
		return n, errGone
	}
	return n, errno
}

// waits reports whether the caller still waits, so that its process id and memory
// are still its own.
func (l listener) waits(id uint64) bool {
	return l.ioctl(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id)) == nil
}

// proceed lets the kernel carry out the call as it was made.
func (l listener) proceed(id uint64) error {
	return l.send(response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
}

// answer makes the call return val.
func (l listener) answer(id uint64, val int) error {
	return l.send(response{id: id, val: int64(val)})
}

// fail makes the call fail.
func (l listener) fail(id uint64, errno unix.Errno) error {
	return l.send(response{id: id, errno: -int32(errno)})
}

func (l listener) send(r response) error {
	return l.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

// give makes the call return a new descriptor of the caller for file. To add it and
// to answer are two steps: the kernel has one for both (SECCOMP_ADDFD_FLAG_SEND), but
// a signal at the wrong moment leaves the call answered and the descriptor not added.
func (l listener) give(id uint64, file int) error {
	a := addFile{id: id, file: uint32(file)}
	fd, err := l.request(unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&a))
	if err != nil {
		return err
	}
	return l.answer(id, fd)
}
