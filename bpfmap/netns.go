// SPDX-License-Identifier: MIT

package bpfmap

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// netns is a network namespace: an open file that keeps it, the cookie that no
// other namespace of this boot had or will have, and its inode, which another
// may have after it.
type netns struct {
	file   *os.File
	cookie uint64
	inode  uint64
}

// currentNetns returns the namespace of the calling thread.
func currentNetns() (*netns, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return nil, fmt.Errorf("network namespace cookie: %w", err)
	}
	file, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, explain("network namespace", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		file.Close()
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	return &netns{file: file, cookie: cookie, inode: st.Ino}, nil
}

func (n *netns) close() error { return n.file.Close() }
