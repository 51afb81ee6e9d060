// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

func tryListener(context.Context) (string, error) {
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return "", fmt.Errorf("action: %w", errno)
	}
	return "", listen()
}

// listen installs a filter with a listener, one that stops nothing, on a
// thread that ends right afterwards. A task may have one listener only, so a
// container that listens itself refuses.
func listen() error {
	result := make(chan error)
	go func() {
		// Never unlocked: the filter is gone with the thread.
		runtime.LockOSThread()
		result <- func() error {
			if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
				return fmt.Errorf("no new privileges: %w", err)
			}
			allow := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
			prog := unix.SockFprog{Len: uint16(len(allow)), Filter: &allow[0]}
			fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
			runtime.KeepAlive(allow)
			switch errno {
			case 0:
				return unix.Close(int(fd))
			case unix.EBUSY:
				return fmt.Errorf("another listener watches this process: %w", errno)
			}
			return fmt.Errorf("listener: %w", errno)
		}()
	}()
	return <-result
}

func tryKillable(context.Context) (string, error) {
	// A flag the kernel knows gets as far as the filter, which is no address;
	// one it does not know is invalid at once.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, 0)
	if errors.Is(errno, unix.EFAULT) {
		return "", nil
	}
	return "", fmt.Errorf("flag: %w", errno)
}
