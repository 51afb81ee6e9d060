// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// receiveBuffer is the size of the longest datagram that the module sends: a
// table whose fields have all the names they may have.
const receiveBuffer = 256 << 10

// conn is a socket that knows the module's family. One caller uses it at a
// time.
type conn struct {
	nl     *netlink.Conn // for listings and changes
	genl   *genetlink.Conn
	wire   wire // for all else, by the same socket
	family genetlink.Family
	seq    uint32
	out    []byte
	rows   builder // of a Put
	broken bool    // the last exchange did not end as it should
}

// newConn asks for the family on a new socket. The error wraps
// dict.ErrNotSupported where the module is not loaded.
func newConn(nl *netlink.Conn, w wire) (*conn, error) {
	c := &conn{nl: nl, genl: genetlink.NewConn(nl), wire: w, rows: builder{order: binary.NativeEndian}}
	_ = nl.SetOption(netlink.ExtendedAcknowledge, true) // better texts where there are any
	var err error
	c.family, err = c.genl.GetFamily(familyName)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.Join(errAbsent(), nl.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("generic netlink family %s: %w", familyName, err), nl.Close())
	case c.family.Version != familyVersion:
		return nil, errors.Join(errVersion(c.family.Version), nl.Close())
	}
	return c, nil
}

// close closes the socket.
func (c *conn) close() error { return c.nl.Close() }

// do sends a request and calls f, which may be nil, with the attributes of
// every answer, until the module has acknowledged it. The error is the
// module's as a *refusal, or f's.
func (c *conn) do(command uint8, attrs []byte, f func([]byte) error) error {
	return c.exchange(command, unix.NLM_F_ACK, attrs, f)
}

// tell is do for a request that the module mostly has nothing to say to: it asks for
// no acknowledgement. What the module says is there when the request is sent, so that
// nothing says that all is done.
func (c *conn) tell(command uint8, attrs []byte, f func([]byte) error) error {
	return c.exchange(command, 0, attrs, f)
}

func (c *conn) exchange(command uint8, ack uint16, attrs []byte, f func([]byte) error) error {
	c.broken = true
	c.seq++
	c.out = appendRequest(c.out[:0], c.family.ID, unix.NLM_F_REQUEST|ack, c.seq, command, attrs)
	if err := c.wire.send(c.out); err != nil {
		return explain(err)
	}
	var failed error
	for {
		b, err := c.wire.receive(ack != 0)
		switch {
		case ack == 0 && errors.Is(err, unix.EAGAIN):
			c.broken = false
			return failed
		case err != nil:
			return explain(err)
		}
		for len(b) > 0 {
			var m message
			if m, b, err = cut(b); err != nil {
				return err
			}
			switch {
			case m.seq != c.seq: // what a caller before did not wait for
			case m.typ == unix.NLMSG_ERROR:
				errno, text, err := m.verdict()
				if err == nil && errno != 0 {
					err = c.refused(errno, text)
				} else if err == nil {
					err = failed
					c.broken = false
				}
				return err
			case failed == nil && f != nil:
				failed = c.open(m.typ, m.body, f)
			}
		}
	}
}

// dump asks for a listing and calls f with the attributes of every part of
// it. interrupted says that the module could not keep what it lists from
// changing its order meanwhile: something may be missing, or be there twice.
func (c *conn) dump(command uint8, attrs []byte, f func([]byte) error) (interrupted bool, err error) {
	c.broken = true
	seq, err := c.ask(command, attrs)
	if err != nil {
		return false, err
	}
	var refused error
	for m, err := range c.nl.ReceiveIter() {
		if err != nil {
			refused = err
			break
		}
		interrupted = interrupted || m.Header.Flags&netlink.DumpInterrupted != 0
		if err := c.open(uint16(m.Header.Type), m.Data, f); err != nil {
			return interrupted, err // the iterator reads the rest of the listing and drops it
		}
	}
	if refused != nil {
		return interrupted, c.refusedListing(seq, refused)
	}
	c.broken = false
	return interrupted, nil
}

// ask sends a request for a listing.
func (c *conn) ask(command uint8, attrs []byte) (seq uint32, err error) {
	m, err := c.genl.Send(genetlink.Message{
		Header: genetlink.Header{Command: command, Version: familyVersion}, Data: attrs,
	}, c.family.ID, netlink.Request|netlink.Dump)
	if err != nil {
		return 0, explain(err)
	}
	return m.Header.Sequence, nil
}

// open calls f with the attributes of a message of the family.
func (c *conn) open(typ uint16, body []byte, f func([]byte) error) error {
	if typ != c.family.ID {
		return errAnswer(fmt.Sprintf("message of type %d", typ))
	}
	if len(body) < genlHeader {
		return errAnswer("message cut off")
	}
	return f(body[genlHeader:])
}

// refusedListing makes a *refusal of what the module answered to a request for a
// listing.
func (c *conn) refusedListing(seq uint32, err error) error {
	op, ok := errors.AsType[*netlink.OpError](err)
	if !ok || op.Sequence != seq || seq == 0 {
		return explain(err)
	}
	errno, ok := errors.AsType[unix.Errno](op.Err)
	if !ok {
		return explain(err)
	}
	return c.refused(errno, op.Message)
}

// refused makes a *refusal of what the module answered; it ends the exchange as an
// acknowledgement does.
func (c *conn) refused(errno unix.Errno, text string) error {
	c.broken = false
	if errno == unix.ENOENT && text == "" {
		// This may be no word of the module, but of whoever misses it.
		if now, err := c.genl.GetFamily(familyName); err != nil || now.ID != c.family.ID {
			c.broken = true
			if errors.Is(err, os.ErrNotExist) {
				return errAbsent()
			}
		}
	}
	return &refusal{errno: errno, text: text}
}
