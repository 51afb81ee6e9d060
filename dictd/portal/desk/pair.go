// SPDX-License-Identifier: MIT

package desk

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Pair makes both ends: one for Serve, and a file for the process that asks.
func Pair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("desk: socketpair: %w", err)
	}
	there := os.NewFile(uintptr(fds[1]), "desk")
	here, err := FromFile(os.NewFile(uintptr(fds[0]), "desk"))
	if err != nil {
		return nil, nil, errors.Join(err, there.Close())
	}
	return here, there, nil
}

// FromFile makes a connection of a file, which it closes.
func FromFile(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("desk: not a unix socket"), conn.Close())
	}
	return u, nil
}
