// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"fmt"
	"os"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// netns is a network namespace: an open file that keeps it and the cookie that
// no other namespace of this boot had or will have.
type netns struct {
	file   *os.File
	cookie uint64
}

// errNamespace says that a socket came to be in another namespace.
var errNamespace = errors.New("this thread is in another network namespace by now, and may not return without CAP_SYS_ADMIN")

// currentNetns returns the namespace of the calling thread.
func currentNetns() (*netns, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	defer unix.Close(fd)
	cookie, err := cookieOf(fd)
	if err != nil {
		return nil, err
	}
	file, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	return &netns{file, cookie}, nil
}

// cookieOf returns the cookie of the namespace that a socket is in.
func cookieOf(fd int) (uint64, error) {
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0, fmt.Errorf("network namespace cookie: %w", err)
	}
	return cookie, nil
}

// dial opens a generic netlink socket in the namespace. Who may not enter
// namespaces gets one if the calling thread is in it.
func (n *netns) dial() (*netlink.Conn, wire, error) {
	config := netlink.Config{NetNS: int(n.file.Fd()), MessageBufferSize: receiveBuffer}
	c, err := netlink.Dial(unix.NETLINK_GENERIC, &config)
	if errors.Is(err, unix.EPERM) {
		config.NetNS = 0
		c, err = netlink.Dial(unix.NETLINK_GENERIC, &config)
	}
	if err != nil {
		return nil, nil, err
	}
	w, err := newDirect(c)
	if err == nil {
		err = n.check(c)
	}
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	return c, w, nil
}

// check returns an error unless a socket is in the namespace.
func (n *netns) check(c *netlink.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cookie uint64
	var failed error
	if err := raw.Control(func(fd uintptr) { cookie, failed = cookieOf(int(fd)) }); err != nil {
		return err
	}
	if failed == nil && cookie != n.cookie {
		failed = errNamespace
	}
	return failed
}

func (n *netns) close() error { return n.file.Close() }
