// SPDX-License-Identifier: MIT

package conntrack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// ErrTaken says that another entry has the tuple of a connection that was to be made
// anew: a packet was faster.
var ErrTaken = errors.New("another entry has its tuple")

// Carried is what became of a connection.
type Carried struct {
	Now Flow  // the new entry, where Err is nil
	Err error // ErrNotFound: it had ended. ErrTaken: its old entry is gone, the other stays
}

// carryBatch is how many connections one request holds: the answers to more would
// not fit into the socket.
const carryBatch = 32

// Carry takes connections out of whatever holds their entries, a flowtable, by
// deleting each entry and making it anew at once: with both tuples, so translated
// ports and addresses are kept, mark, labels, and what the kernel knows of its
// progress, but for its windows (which are learnt from the next packets), counters and
// time of beginning. The new entry has an id of its own, which the answer tells. lives
// tells how long an entry lives without packets.
//
// What it cannot keep: the helper and the master of the entry, and a zone that holds
// for one direction alone.
func (c *Client) Carry(flows []Flow, lives func(*Flow) time.Duration) ([]Carried, error) {
	all := make([]Carried, len(flows))
	for at := 0; at < len(flows); at += carryBatch {
		part := flows[at:min(len(flows), at+carryBatch)]
		if err := c.carry(part, all[at:at+len(part)], lives); err != nil {
			for i := at; i < len(flows); i++ {
				all[i].Err = err
			}
			return all, fmt.Errorf("conntrack: make entries anew: %w", err)
		}
	}
	return all, nil
}

// tries is how often a packet may be faster.
const tries = 4

func (c *Client) carry(flows []Flow, out []Carried, lives func(*Flow) time.Duration) error {
	left := make([]int, len(flows))
	for i := range left {
		left[i] = i
	}
	for try := 0; len(left) > 0 && try < tries; try++ {
		ghosts, err := c.carryOnce(flows, left, out, lives, try > 0)
		for _, i := range ghosts { // whoever wanted the connection gone has his way
			if now, failed := c.Lookup(flows[i].Orig, flows[i].Zone); failed == nil {
				err = errors.Join(err, c.remove(&now))
			}
		}
		if err != nil {
			return err
		}
		for _, i := range left {
			if out[i].Err != nil || out[i].Now.ID != 0 {
				continue
			}
			// Where nobody listens to events the answer has no entry.
			now, err := c.Lookup(flows[i].Orig, flows[i].Zone)
			out[i] = Carried{now, err}
		}
		left = slices.DeleteFunc(left, func(i int) bool { return !errors.Is(out[i].Err, ErrTaken) })
	}
	return nil
}

// carryOnce deletes entries and makes them anew. Of those that a packet was faster
// than, again, whatever entry there is is deleted. It returns of which an entry was
// made although there was none to be deleted.
func (c *Client) carryOnce(flows []Flow, which []int, out []Carried, lives func(*Flow) time.Duration, again bool) (ghosts []int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var requests []netlink.Message
	first := c.seq + 1
	for _, i := range which {
		f := &flows[i]
		out[i] = Carried{Err: errors.New("no answer")}
		gone, err := encodeEntry(f, !again)
		if err != nil {
			return nil, err
		}
		made, err := encodeNew(f, lives(f))
		if err != nil {
			return nil, err
		}
		requests = append(requests,
			requestTo(msgDelete, 0, c.seq+1, f.Orig.Family, gone),
			requestTo(msgNew, netlink.Create|netlink.Excl|netlink.Echo, c.seq+2, f.Orig.Family, made))
		c.seq += 2
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(replyTimeout)); err != nil {
		return nil, err
	}
	if _, err := c.conn.SendMessages(requests); err != nil {
		return nil, err
	}
	deleted := make([]bool, len(which))
	answers := 0
	err = c.read(func(m message) (bool, error) {
		switch {
		case m.typ == msgNew:
			var now Flow
			if err := m.flow(&now); err != nil {
				return false, err
			}
			for _, i := range which {
				if flows[i].Orig == now.Orig && flows[i].Zone == now.Zone {
					out[i].Now = now
				}
			}
			return true, nil
		case m.typ != unix.NLMSG_ERROR || m.seq-first >= uint32(len(requests)):
			return true, nil // of an earlier request that was given up
		}
		n := int(m.seq - first)
		i, err := which[n/2], m.errno()
		switch {
		case n%2 == 0:
			deleted[n/2] = err == nil || again && errors.Is(err, unix.ENOENT)
			if err != nil && !deleted[n/2] {
				out[i].Err = err
				if errors.Is(err, unix.ENOENT) {
					out[i].Err = ErrNotFound
				}
			}
		case !deleted[n/2]:
			if err == nil {
				ghosts = append(ghosts, i)
			}
		case errors.Is(err, unix.EEXIST):
			out[i].Err = ErrTaken
		default:
			out[i].Err = err
		}
		answers++
		return answers < len(requests), nil
	})
	return ghosts, err
}

// remove deletes an entry; that there is none is no error.
func (c *Client) remove(f *Flow) error {
	attrs, err := encodeEntry(f, true)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	if err := c.conn.SetReadDeadline(time.Now().Add(replyTimeout)); err != nil {
		return err
	}
	if _, err := c.conn.SendMessages([]netlink.Message{requestTo(msgDelete, 0, c.seq, f.Orig.Family, attrs)}); err != nil {
		return err
	}
	err = c.read(func(m message) (bool, error) {
		if m.seq != c.seq || m.typ != unix.NLMSG_ERROR {
			return true, nil
		}
		return false, m.errno()
	})
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// encodeEntry names an entry, by its id as well if asked.
func encodeEntry(f *Flow, id bool) ([]byte, error) {
	e := newEncoder()
	encodeTupleAs(e, ctaTupleOrig, &f.Orig)
	if f.Zone != 0 {
		e.Uint16(ctaZone, f.Zone)
	}
	if id {
		e.Uint32(ctaID, f.ID)
	}
	return e.Encode()
}

// Bits of Flow.Status that a new entry is given.
const statusKept = statusSeenReply | statusAssured

const (
	statusSeenReply = 1 << 1
	statusAssured   = 1 << 2
	statusConfirmed = 1 << 3
)

// encodeNew describes the entry that takes the place of f.
func encodeNew(f *Flow, lives time.Duration) ([]byte, error) {
	e := newEncoder()
	encodeTupleAs(e, ctaTupleOrig, &f.Orig)
	// The kernel translates if it is told what to, and not by a reply that differs.
	plain := f.Orig.Reverse()
	encodeTupleAs(e, ctaTupleReply, &plain)
	if f.Reply.src != plain.src || f.Reply.SrcPort != plain.SrcPort {
		encodeNAT(e, ctaNATDst, &f.Reply, f.Reply.src, f.Reply.SrcPort)
	}
	if f.Reply.dst != plain.dst || f.Reply.DstPort != plain.DstPort {
		encodeNAT(e, ctaNATSrc, &f.Reply, f.Reply.dst, f.Reply.DstPort)
	}
	if f.Zone != 0 {
		e.Uint16(ctaZone, f.Zone)
	}
	e.Uint32(ctaTimeout, uint32(max(lives/time.Second, 1)))
	e.Uint32(ctaStatus, f.Status&statusKept|statusConfirmed)
	e.Uint32(ctaMark, f.Mark)
	if f.Labels != [16]byte{} {
		e.Bytes(ctaLabels, f.Labels[:])
	}
	if f.Orig.Proto == unix.IPPROTO_TCP {
		e.Nested(ctaProtoInfo, func(e *netlink.AttributeEncoder) error {
			e.Nested(ctaProtoInfoTCP, func(e *netlink.AttributeEncoder) error {
				e.Uint8(ctaProtoInfoTCPState, tcpEstablished)
				// Its windows are not known any more.
				liberal := []byte{tcpLiberal, tcpLiberal}
				e.Bytes(ctaProtoInfoTCPFlagsOrig, liberal)
				e.Bytes(ctaProtoInfoTCPFlagsReply, liberal)
				return nil
			})
			return nil
		})
	}
	return e.Encode()
}

const (
	tcpEstablished = 3
	tcpLiberal     = 8

	ctaProtoInfoTCPFlagsOrig  = 4
	ctaProtoInfoTCPFlagsReply = 5

	ctaNATSrc  = 6
	ctaTimeout = 7
	ctaNATDst  = 13

	ctaNATV4Min = 1
	ctaNATV4Max = 2
	ctaNATProto = 3
	ctaNATV6Min = 4
	ctaNATV6Max = 5

	ctaProtoNATMin = 1
	ctaProtoNATMax = 2
)

// encodeNAT has an end translated to an address and a port, and no other.
func encodeNAT(e *netlink.AttributeEncoder, attr uint16, t *Tuple, addr [16]byte, port uint16) {
	e.Nested(attr, func(e *netlink.AttributeEncoder) error {
		if t.Family == 4 {
			e.Bytes(ctaNATV4Min, addr[12:])
			e.Bytes(ctaNATV4Max, addr[12:])
		} else {
			e.Bytes(ctaNATV6Min, addr[:])
			e.Bytes(ctaNATV6Max, addr[:])
		}
		if hasPorts(t.Proto) {
			e.Nested(ctaNATProto, func(e *netlink.AttributeEncoder) error {
				e.Uint16(ctaProtoNATMin, port)
				e.Uint16(ctaProtoNATMax, port)
				return nil
			})
		}
		return nil
	})
}

func newEncoder() *netlink.AttributeEncoder {
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	return e
}
