// SPDX-License-Identifier: MIT

package offload

import (
	"fmt"

	"golang.org/x/sys/unix"

	"nftdict/dictd/netns"
)

// loopback is the device lo of a network namespace that nobody else sees, as a socket there.
type loopback int

// openLoopback makes the namespace, which goes with the socket.
func openLoopback() (lo loopback, err error) {
	err = netns.DoNew(func() error {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("socket: %w", err)
		}
		lo = loopback(s)
		if err = lo.flap(); err != nil {
			_ = lo.close()
		}
		return err
	})
	return lo, err
}

// TrySweep tells why a Sweeper of this process could do nothing; nil where it can.
func TrySweep() error {
	lo, err := openLoopback()
	if err != nil {
		return err
	}
	return lo.close()
}

// flap sets the device up and down.
func (lo loopback) flap() error {
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	for _, flags := range []uint16{unix.IFF_UP, 0} {
		request.SetUint16(flags)
		if err := unix.IoctlIfreq(int(lo), unix.SIOCSIFFLAGS, request); err != nil {
			return fmt.Errorf("set lo of a network namespace up and down: %w", err)
		}
	}
	return nil
}

func (lo loopback) close() error { return unix.Close(int(lo)) }
