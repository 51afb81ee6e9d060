// SPDX-License-Identifier: MIT

package dictd

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// linkTypes tells what kind of interface there is behind an index, as the kernel
// numbers them (ARPHRD_ETHER is 1).
type linkTypes struct {
	mu    sync.Mutex
	conn  *netlink.Conn
	known map[uint32]linkType
}

type linkType struct {
	kind  uint16
	ok    bool
	asked time.Time
}

// linkTypeAge is how long an answer is good: an index may be used again.
const linkTypeAge = time.Minute

// maxLinkTypes bounds the answers kept.
const maxLinkTypes = 4096

func openLinkTypes(netns int) (*linkTypes, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, fmt.Errorf("types of interfaces: %w", err)
	}
	return &linkTypes{conn: conn, known: make(map[uint32]linkType)}, nil
}

// get returns the type of an interface, false if there is none of that index. The
// kernel is asked once a minute.
func (l *linkTypes) get(index uint32) (uint16, bool) {
	if l == nil || index == 0 {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if t, ok := l.known[index]; ok && now.Sub(t.asked) < linkTypeAge {
		return t.kind, t.ok
	}
	if len(l.known) >= maxLinkTypes {
		clear(l.known)
	}
	t := linkType{asked: now}
	t.kind, t.ok = l.ask(index)
	l.known[index] = t
	return t.kind, t.ok
}

// Offsets in struct ifinfomsg.
const (
	ifInfoType  = 2
	ifInfoIndex = 4
)

func (l *linkTypes) ask(index uint32) (uint16, bool) {
	head := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(head[ifInfoIndex:], index)
	messages, err := l.conn.Execute(netlink.Message{Header: netlink.Header{Type: unix.RTM_GETLINK, Flags: netlink.Request}, Data: head})
	if err != nil {
		return 0, false
	}
	for _, m := range messages {
		if m.Header.Type == unix.RTM_NEWLINK && len(m.Data) >= unix.SizeofIfInfomsg && binary.NativeEndian.Uint32(m.Data[ifInfoIndex:]) == index {
			return binary.NativeEndian.Uint16(m.Data[ifInfoType:]), true
		}
	}
	return 0, false
}

func (l *linkTypes) close() error {
	if l == nil {
		return nil
	}
	return l.conn.Close()
}
