// SPDX-License-Identifier: MIT

package api

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer is who connected, as the kernel knew it at that moment. What the process
// becomes later changes nothing.
type Peer struct {
	UID, GID uint32
	PID      int32
	Groups   []uint32 // supplementary ones

	page, change bool // it came by a page in the browser, and what that lets it do
}

// in reports whether the peer is a member of a group.
func (p *Peer) in(gid uint32) bool { return p.GID == gid || slices.Contains(p.Groups, gid) }

// peerOf asks the kernel who is at the other end of a socket.
func peerOf(conn *net.UnixConn) (*Peer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var p *Peer
	var asked error
	if err := raw.Control(func(fd uintptr) { p, asked = askPeer(int(fd)) }); err != nil {
		return nil, err
	}
	return p, asked
}

func askPeer(fd int) (*Peer, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return nil, fmt.Errorf("SO_PEERCRED: %w", err)
	}
	groups, err := askGroups(fd)
	if err != nil {
		return nil, fmt.Errorf("SO_PEERGROUPS: %w", err)
	}
	return &Peer{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid, Groups: groups}, nil
}

// gidSize is the size of a group's id in the answer, in bytes.
const gidSize = 4

// maxGroups is the most groups that Linux lets a process have.
const maxGroups = 65536

// askGroups reads the supplementary groups: ids in the machine's byte order. The
// kernel refuses a buffer that is too short, and says how long it has to be.
func askGroups(fd int) ([]uint32, error) {
	buf := make([]byte, 64*gidSize)
	for {
		length := uint32(len(buf))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&length)), 0)
		runtime.KeepAlive(buf)
		switch {
		case errors.Is(errno, unix.ERANGE) && int(length) > len(buf) && length <= maxGroups*gidSize:
			buf = make([]byte, length)
			continue
		case errno == unix.ENODATA || errno == unix.ENOPROTOOPT: // none, or a kernel before 4.13
			return nil, nil
		case errno != 0:
			return nil, errno
		}
		groups := make([]uint32, 0, length/gidSize)
		for rest := buf[:length]; len(rest) >= gidSize; rest = rest[gidSize:] {
			groups = append(groups, binary.NativeEndian.Uint32(rest))
		}
		return groups, nil
	}
}
