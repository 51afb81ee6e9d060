// SPDX-License-Identifier: MIT

package conntrack

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// ErrNotFound says that the kernel tracks no confirmed connection of that tuple.
var ErrNotFound = errors.New("no such connection")

// replyTimeout bounds the wait for an answer of the kernel.
const replyTimeout = 5 * time.Second

// Client asks for connections of one network namespace. It may be used by
// several goroutines.
type Client struct {
	mu   sync.Mutex
	conn *netlink.Conn
	raw  syscall.RawConn
	seq  uint32
	buf  []byte
}

// Dial returns a Client; netns is a descriptor of the network namespace, 0 for
// the caller's. It needs CAP_NET_ADMIN there.
func Dial(netns int) (*Client, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, fmt.Errorf("conntrack: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("conntrack: %w", err)
	}
	// A dump arrives in pieces of up to 32 KiB.
	return &Client{conn: conn, raw: raw, buf: make([]byte, 64<<10)}, nil
}

// Close releases the socket.
func (c *Client) Close() error { return c.conn.Close() }

// Dump calls f for every confirmed connection. The Flow is the Client's. A
// connection that begins or ends meanwhile may be left out or shown; one that
// stays may, rarely, be left out when the kernel's table changes under the
// dump: look it up before believing that it is gone.
func (c *Client) Dump(f func(*Flow)) error {
	var flow Flow
	err := c.request(unix.NLM_F_DUMP, 0, nil, func(m message) error {
		if err := m.flow(&flow); err != nil {
			return err
		}
		f(&flow)
		return nil
	})
	if err != nil {
		return fmt.Errorf("conntrack dump: %w", err)
	}
	return nil
}

// Lookup returns the confirmed connection that a packet of tuple t, of either
// direction, belongs to. The error wraps ErrNotFound if there is none.
func (c *Client) Lookup(t Tuple, zone uint16) (Flow, error) {
	var flow Flow
	found := false
	attrs, err := encodeTuple(t, zone)
	if err == nil {
		err = c.request(0, t.Family, attrs, func(m message) error {
			found = true
			return m.flow(&flow)
		})
	}
	switch {
	case errors.Is(err, unix.ENOENT) || err == nil && !found:
		return Flow{}, fmt.Errorf("conntrack entry %s zone %d: %w", t, zone, ErrNotFound)
	case err != nil:
		return Flow{}, fmt.Errorf("conntrack entry %s zone %d: %w", t, zone, err)
	}
	return flow, nil
}

func encodeTuple(t Tuple, zone uint16) ([]byte, error) {
	e := newEncoder()
	encodeTupleAs(e, ctaTupleOrig, &t)
	if zone != 0 {
		e.Uint16(ctaZone, zone)
	}
	return e.Encode()
}

func encodeTupleAs(e *netlink.AttributeEncoder, attr uint16, t *Tuple) {
	e.Nested(attr, func(e *netlink.AttributeEncoder) error {
		e.Nested(ctaTupleIP, func(e *netlink.AttributeEncoder) error {
			if t.Family == 4 {
				e.Bytes(ctaIPv4Src, t.src[12:])
				e.Bytes(ctaIPv4Dst, t.dst[12:])
			} else {
				e.Bytes(ctaIPv6Src, t.src[:])
				e.Bytes(ctaIPv6Dst, t.dst[:])
			}
			return nil
		})
		e.Nested(ctaTupleProto, func(e *netlink.AttributeEncoder) error {
			e.Uint8(ctaProtoNum, t.Proto)
			if hasPorts(t.Proto) {
				e.Uint16(ctaProtoSrcPort, t.SrcPort)
				e.Uint16(ctaProtoDstPort, t.DstPort)
			}
			return nil
		})
		return nil
	})
}

// request sends one ctnetlink GET and calls f for each entry of the answer.
func (c *Client) request(flags netlink.HeaderFlags, family uint8, attrs []byte, f func(message) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l3 := uint8(unix.AF_UNSPEC)
	switch family {
	case 4:
		l3 = unix.AF_INET
	case 6:
		l3 = unix.AF_INET6
	}
	c.seq++
	seq := c.seq
	if err := c.conn.SetReadDeadline(time.Now().Add(replyTimeout)); err != nil {
		return err
	}
	_, err := c.conn.Send(netlink.Message{
		Header: netlink.Header{Type: msgGet, Flags: netlink.Request | netlink.Acknowledge | flags, Sequence: seq},
		Data:   append([]byte{l3, unix.NFNETLINK_V0, 0, 0}, attrs...),
	})
	if err != nil {
		return err
	}
	return c.read(func(m message) (bool, error) {
		switch {
		case m.seq != seq: // of an earlier request that was given up
			return true, nil
		case m.typ == unix.NLMSG_DONE:
			return false, nil
		case m.typ == unix.NLMSG_ERROR:
			return false, m.errno()
		case m.typ == msgNew:
			return true, f(m)
		}
		return true, nil
	})
}

// read calls f for the messages of answers until it returns false.
func (c *Client) read(f func(message) (bool, error)) error {
	var failed error
	err := c.raw.Read(func(fd uintptr) bool {
		for {
			n, _, err := unix.Recvfrom(int(fd), c.buf, unix.MSG_DONTWAIT)
			switch {
			case errors.Is(err, unix.EAGAIN):
				return false
			case errors.Is(err, unix.EINTR):
				continue
			case err != nil:
				failed = err
				return true
			}
			more, err := eachMessage(c.buf[:n], f)
			if err != nil || !more {
				failed = err
				return true
			}
		}
	})
	return errors.Join(failed, err)
}
