// SPDX-License-Identifier: MIT

package genl

import (
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
	nl     *netlink.Conn
	genl   *genetlink.Conn
	family genetlink.Family
	broken bool // the last exchange did not end as it should
}

// newConn asks for the family on a new socket. The error wraps
// dict.ErrNotSupported where the module is not loaded.
func newConn(nl *netlink.Conn) (*conn, error) {
	c := &conn{nl: nl, genl: genetlink.NewConn(nl)}
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
	c.broken = true
	seq, err := c.send(command, netlink.Acknowledge, attrs)
	if err != nil {
		return err
	}
	var failed error
	for {
		var refused error
		for m, err := range c.nl.ReceiveIter() {
			switch {
			case err != nil:
				refused = err
			case m.Header.Sequence != seq: // what a caller before did not wait for
			case m.Header.Type == netlink.Error:
				c.broken = false
				return failed
			case failed == nil && f != nil:
				failed = c.open(m, f)
			}
		}
		if refused != nil {
			return c.refused(seq, refused)
		}
	}
}

// dump asks for a listing and calls f with the attributes of every part of
// it. interrupted says that the module could not keep what it lists from
// changing its order meanwhile: something may be missing, or be there twice.
func (c *conn) dump(command uint8, attrs []byte, f func([]byte) error) (interrupted bool, err error) {
	c.broken = true
	seq, err := c.send(command, netlink.Dump, attrs)
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
		if err := c.open(m, f); err != nil {
			return interrupted, err // the iterator reads the rest of the listing and drops it
		}
	}
	if refused != nil {
		return interrupted, c.refused(seq, refused)
	}
	c.broken = false
	return interrupted, nil
}

func (c *conn) send(command uint8, flags netlink.HeaderFlags, attrs []byte) (seq uint32, err error) {
	m, err := c.genl.Send(genetlink.Message{
		Header: genetlink.Header{Command: command, Version: familyVersion}, Data: attrs,
	}, c.family.ID, netlink.Request|flags)
	if err != nil {
		return 0, explain(err)
	}
	return m.Header.Sequence, nil
}

// open calls f with the attributes of a message of the family.
func (c *conn) open(m netlink.Message, f func([]byte) error) error {
	var g genetlink.Message
	if uint16(m.Header.Type) != c.family.ID {
		return errAnswer(fmt.Sprintf("message of type %d", m.Header.Type))
	}
	if err := g.UnmarshalBinary(m.Data); err != nil {
		return errAnswer(err.Error())
	}
	return f(g.Data)
}

// refused makes a *refusal of what the module answered to a request; it ends
// the exchange as an acknowledgement does.
func (c *conn) refused(seq uint32, err error) error {
	op, ok := errors.AsType[*netlink.OpError](err)
	if !ok || op.Sequence != seq || seq == 0 {
		return explain(err)
	}
	errno, ok := errors.AsType[unix.Errno](op.Err)
	if !ok {
		return explain(err)
	}
	c.broken = false
	if errno == unix.ENOENT && op.Message == "" {
		// This may be no word of the module, but of whoever misses it.
		if now, err := c.genl.GetFamily(familyName); err != nil || now.ID != c.family.ID {
			c.broken = true
			if errors.Is(err, os.ErrNotExist) {
				return errAbsent()
			}
		}
	}
	return &refusal{errno: errno, text: op.Message}
}
