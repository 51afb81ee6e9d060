// SPDX-License-Identifier: MIT

package radmsg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dictd/netns"
)

// buffer is the size of a socket's receive buffer in bytes: clients tell of all
// their sessions at once.
const buffer = 1 << 20

// Sockets are those at which somebody answers.
type Sockets []*net.UDPConn

// Listen opens one for each address, in a network namespace; 0 means the caller's.
// Close must follow.
func Listen(ns int, at []netip.AddrPort) (s Sockets, err error) {
	err = netns.Do(ns, func() error {
		for _, a := range at {
			c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(a))
			if err != nil {
				return err
			}
			s = append(s, c)
			if err := c.SetReadBuffer(buffer); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("radius: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// Close closes them.
func (s Sockets) Close() error {
	var errs []error
	for _, c := range s {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Run sends what answer returns for each datagram, nil for nothing, until ctx ends. It
// is called by as many goroutines as there are sockets; what cannot be sent is told to
// failed.
func (s Sockets) Run(ctx context.Context, answer func(b []byte, from netip.AddrPort) []byte, failed func(error)) error {
	defer context.AfterFunc(ctx, func() {
		for _, c := range s {
			c.SetReadDeadline(time.Unix(1, 0))
		}
	})()
	var tasks errgroup.Group
	for _, c := range s {
		tasks.Go(func() error {
			buf := make([]byte, MaxMessage+1)
			for {
				n, from, err := c.ReadFromUDPAddrPort(buf)
				switch {
				case ctx.Err() != nil:
					return nil
				case errors.Is(err, net.ErrClosed):
					return fmt.Errorf("radius: %w", err)
				case err != nil: // of an answer that found nobody
					continue
				}
				if out := answer(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port())); out != nil {
					if _, err := c.WriteToUDPAddrPort(out, from); err != nil {
						failed(err)
					}
				}
			}
		})
	}
	return tasks.Wait()
}
