// SPDX-License-Identifier: MIT

package genl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// eventBuffer is how many bytes of messages the kernel keeps for a listener that is
// busy.
const eventBuffer = 16 << 20

// join subscribes to what a group is told. The error wraps dict.ErrNotSupported where
// the module has no such group.
func (c *conn) join(group string) error {
	for _, g := range c.family.Groups {
		if g.Name == group {
			_ = c.nl.SetReadBuffer(eventBuffer) // a smaller one does, too
			if err := c.nl.JoinGroup(g.ID); err != nil {
				return explain(err)
			}
			return nil
		}
	}
	return fmt.Errorf("%w: the module has no group %s", dict.ErrNotSupported, group)
}

// events calls f with what is told, and lost when the kernel has dropped some of it,
// until ctx ends or one of them fails.
func (c *conn) events(ctx context.Context, lost func() error, f func(command uint8, attrs []byte) error) error {
	// A deadline in the past wakes the reader.
	stop := context.AfterFunc(ctx, func() { _ = c.nl.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		var err error
		for m, failed := range c.nl.ReceiveIter() {
			if err = failed; err == nil {
				err = c.event(m, f)
			}
			if err != nil {
				break
			}
		}
		if errors.Is(err, unix.ENOBUFS) {
			err = lost()
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		}
	}
}

// event calls f with what one message tells.
func (c *conn) event(m netlink.Message, f func(command uint8, attrs []byte) error) error {
	var g genetlink.Message
	if uint16(m.Header.Type) != c.family.ID {
		return nil
	}
	if err := g.UnmarshalBinary(m.Data); err != nil {
		return errAnswer(err.Error())
	}
	return f(g.Header.Command, g.Data)
}
