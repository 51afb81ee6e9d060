// SPDX-License-Identifier: MIT

package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// Bounds of a capture, in bytes: more than this and it is incomplete.
const (
	captureBytes  = 64 << 20 // unless Limit says otherwise
	captureSocket = 16 << 20 // receive buffer
	captureFrame  = 64 << 10
)

// ErrIncomplete is the answer of a capture that has lost packets, to a
// question that only a complete one can answer.
var ErrIncomplete = errors.New("capture is incomplete")

// Capture records the packets of one interface from the moment it is opened.
// It is safe for concurrent use. What a query sees includes every packet that
// had passed the interface before the query.
type Capture struct {
	ns     *Namespace
	socket *os.File
	done   chan struct{}

	mu      sync.Mutex
	packets []Packet
	bytes   int
	limit   int
	lost    int
	failed  error
	closed  bool
	buf     []byte
}

// Capture starts a capture on an interface of the namespace, such as "eth0".
// It ends when it is closed, or with the lab.
func (n *Namespace) Capture(device string) (*Capture, error) {
	c := &Capture{ns: n, done: make(chan struct{}), buf: make([]byte, captureFrame), limit: captureBytes}
	err := n.Do(func() (err error) {
		c.socket, err = openPacketSocket(device)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("capture on %s in %s: %w", device, n.name, err)
	}
	n.mu.Lock()
	n.captures[c] = struct{}{}
	n.mu.Unlock()
	go c.run()
	return c, nil
}

func openPacketSocket(device string) (*os.File, error) {
	dev, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	// Protocol 0 hears nothing until bind names the interface.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureSocket); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("setsockopt", err)
	}
	all := &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: dev.Index}
	if err := unix.Bind(fd, all); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return os.NewFile(uintptr(fd), "capture "+device), nil
}

// Limit bounds the bytes that the capture keeps; the default is 64 MiB.
func (c *Capture) Limit(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = bytes
}

// run drains the socket whenever it has something, until it is closed.
func (c *Capture) run() {
	defer close(c.done)
	raw, err := c.socket.SyscallConn()
	if err != nil {
		return
	}
	// The error is that of a closed socket.
	raw.Read(func(fd uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.drain(int(fd))
		return c.closed || c.failed != nil
	})
}

// drain reads what the socket holds. c.mu is held.
func (c *Capture) drain(fd int) {
	for {
		n, from, err := unix.Recvfrom(fd, c.buf, unix.MSG_TRUNC)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENETDOWN):
			continue // the link going down is told once, and no loss
		case errors.Is(err, unix.EAGAIN):
			return
		case err != nil:
			c.failed = os.NewSyscallError("recvfrom", err)
			return
		case n > len(c.buf) || c.bytes+n > c.limit:
			c.lost++
			continue
		}
		ll, _ := from.(*unix.SockaddrLinklayer)
		c.bytes += n
		c.packets = append(c.packets, Packet{
			Time:     time.Now(),
			Outgoing: ll != nil && ll.Pkttype == unix.PACKET_OUTGOING,
			Frame:    bytes.Clone(c.buf[:n]),
		})
	}
}

// sync takes in everything up to now and says whether anything was lost.
func (c *Capture) sync() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		raw, err := c.socket.SyscallConn()
		if err != nil {
			return err
		}
		err = raw.Control(func(fd uintptr) {
			c.drain(int(fd))
			// The kernel resets the figure with every reading.
			stats, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS)
			if err == nil {
				c.lost += int(stats.Drops)
			} else if c.failed == nil {
				c.failed = os.NewSyscallError("getsockopt", err)
			}
		})
		if err != nil {
			return err
		}
	}
	if c.failed != nil {
		return c.failed
	}
	if c.lost > 0 {
		return fmt.Errorf("%w: %d packets lost", ErrIncomplete, c.lost)
	}
	return nil
}

// Packets returns the packets so far, in order. The error, if any, wraps
// ErrIncomplete, and the packets that were kept come with it.
func (c *Capture) Packets() ([]Packet, error) {
	err := c.sync()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.packets), err
}

// Segments returns the TCP and UDP segments so far that came into the
// namespace and satisfy keep; nil keeps all.
func (c *Capture) Segments(keep func(Segment) bool) ([]Segment, error) {
	packets, err := c.Packets()
	var out []Segment
	for _, p := range packets {
		if s, ok := p.Segment(); ok && !p.Outgoing && (keep == nil || keep(s)) {
			out = append(out, s)
		}
	}
	return out, err
}

// Received reports whether a single packet that came into the namespace holds
// the text. Nothing is reassembled. That it was not received is said only of a
// complete capture; else the error wraps ErrIncomplete.
func (c *Capture) Received(text string) (bool, error) {
	packets, err := c.Packets()
	for _, p := range packets {
		if !p.Outgoing && bytes.Contains(p.Frame, []byte(text)) {
			return true, nil
		}
	}
	return false, err
}

// WritePCAP writes the packets so far as a pcap file.
func (c *Capture) WritePCAP(w io.Writer) error {
	packets, _ := c.Packets() // an incomplete capture is worth reading too
	out := pcapgo.NewWriter(w)
	if err := out.WriteFileHeader(captureFrame, layers.LinkTypeEthernet); err != nil {
		return err
	}
	for _, p := range packets {
		info := gopacket.CaptureInfo{Timestamp: p.Time, CaptureLength: len(p.Frame), Length: len(p.Frame)}
		if err := out.WritePacket(info, p.Frame); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the capture. Queries still answer, from what it has. Further
// calls do nothing.
func (c *Capture) Close() error {
	err := c.sync()
	if errors.Is(err, ErrIncomplete) {
		err = nil // said again by every query
	}
	c.mu.Lock()
	was := c.closed
	c.closed = true
	c.mu.Unlock()
	if was {
		return nil
	}
	err = errors.Join(err, c.socket.Close())
	<-c.done
	c.ns.mu.Lock()
	defer c.ns.mu.Unlock()
	delete(c.ns.captures, c)
	return err
}

// htons converts a 16-bit number from the host's byte order to the network's.
func htons(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
