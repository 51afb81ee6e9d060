// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Locals knows the addresses whose packets end here: what the kernel's routing
// table "local" has, which are this machine's addresses, broadcast and multicast
// ones.
type Locals struct {
	conn *netlink.Conn

	mu       sync.RWMutex
	whole    map[netip.Addr]time.Time // when last seen
	prefixes []netip.Prefix
}

// memory is how long an address is still taken for this machine's that it has no
// more: connections of it are about to end.
const memory = 10 * time.Minute

// OpenLocals reads the addresses of a network namespace; 0 means the caller's.
func OpenLocals(netns int) (*Locals, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, fmt.Errorf("local addresses: %w", err)
	}
	// Where the kernel cannot leave out other tables they are left out here.
	_ = conn.SetOption(netlink.GetStrictCheck, true)
	l := &Locals{conn: conn, whole: make(map[netip.Addr]time.Time)}
	if err := l.Refresh(); err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

// Close releases the socket.
func (l *Locals) Close() error { return l.conn.Close() }

// Has reports whether packets to an address end here.
func (l *Locals) Has(a netip.Addr) bool {
	if a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if _, ok := l.whole[a]; ok {
		return true
	}
	for _, p := range l.prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Refresh reads the addresses again.
func (l *Locals) Refresh() error {
	now := time.Now()
	var whole []netip.Addr
	var prefixes []netip.Prefix
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		head := make([]byte, unix.SizeofRtMsg)
		head[0], head[4] = family, unix.RT_TABLE_LOCAL
		messages, err := l.conn.Execute(netlink.Message{
			Header: netlink.Header{Type: unix.RTM_GETROUTE, Flags: netlink.Request | netlink.Dump}, Data: head,
		})
		// There is no such table before the first address, as in the first moments of a
		// machine.
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("local addresses: %w", err)
		}
		for _, m := range messages {
			switch p := parseLocal(m.Data); {
			case p.IsSingleIP():
				whole = append(whole, p.Addr())
			case p.IsValid():
				prefixes = append(prefixes, p)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range whole {
		l.whole[a] = now
	}
	for a, at := range l.whole {
		if now.Sub(at) > memory {
			delete(l.whole, a)
		}
	}
	l.prefixes = prefixes
	return nil
}

// Offsets in struct rtmsg.
const (
	rtFamily = 0
	rtDstLen = 1
	rtTable  = 4
)

// parseLocal returns the destination of a route of the local table, else an
// invalid prefix.
func parseLocal(b []byte) netip.Prefix {
	if len(b) < unix.SizeofRtMsg || b[rtTable] != unix.RT_TABLE_LOCAL {
		return netip.Prefix{}
	}
	bits := int(b[rtDstLen])
	for attrs := b[unix.SizeofRtMsg:]; len(attrs) >= unix.NLA_HDRLEN; {
		n := int(binary.NativeEndian.Uint16(attrs))
		if n < unix.NLA_HDRLEN || n > len(attrs) {
			break
		}
		if typ := binary.NativeEndian.Uint16(attrs[2:]); typ == unix.RTA_DST {
			a, ok := netip.AddrFromSlice(attrs[unix.NLA_HDRLEN:n])
			if p := netip.PrefixFrom(a, bits); ok && p.IsValid() {
				return p
			}
			break
		}
		attrs = attrs[min(len(attrs), (n+3)&^3):]
	}
	return netip.Prefix{}
}
