// SPDX-License-Identifier: MIT

package neighbour

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Config says where and how to listen.
type Config struct {
	NetNS      int      // descriptor of the network namespace; 0 means the caller's
	Interfaces []string // those inside; none means all but where default routes leave
	// Handle is called from Run, one Update at a time.
	Handle func(*Update)
	// Failed, if set, is called from Run when all could not be read again, once
	// until it can be; it is tried on.
	Failed func(error)
	// Moved, if set, is called from Run, and from Read, with devices that bridges reach
	// by other ports than before. All says that others may have moved, too, or that
	// somebody else has an address outside.
	Moved func(macs [][6]byte, all bool)
}

// Times of a Listener.
const (
	refreshEvery = time.Minute            // all is told again
	resyncPause  = 250 * time.Millisecond // least time between two readings of all
)

// buffer is the size of the socket's receive buffer in bytes, maxBatch the most
// neighbours of an Update that was not asked for.
const (
	buffer   = 4 << 20
	maxBatch = 4096
)

// Listener receives what happens to neighbours.
type Listener struct {
	cfg    Config
	events *netlink.Conn
	ask    *netlink.Conn
	raw    syscall.RawConn
	buf    []byte

	topology topology
	outside  map[uint32]struct{} // by which default routes left last
	update   Update
	stale    bool // links, default routes or entries have changed unheard
	failing  bool // they could not be read
	stations stations
	unread   bool // bridges have changed unheard

	heard, astray, overruns, resyncs atomic.Uint64
}

// groups are what a Listener subscribes to.
var groups = [...]uint32{unix.RTNLGRP_NEIGH, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR}

// Listen subscribes: all that happens after it returned will be told. Close must
// follow.
func Listen(cfg Config) (*Listener, error) {
	l := &Listener{cfg: cfg, buf: make([]byte, 64<<10), stale: true, unread: true}
	l.stations.forget()
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("neighbours: %w", errors.Join(err, l.Close()))
	}
	return l, nil
}

func (l *Listener) open() (err error) {
	if l.events, err = netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: l.cfg.NetNS}); err != nil {
		return err
	}
	if l.ask, err = netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: l.cfg.NetNS}); err != nil {
		return err
	}
	if l.raw, err = l.events.SyscallConn(); err != nil {
		return err
	}
	if err := l.events.SetReadBuffer(buffer); err != nil {
		return err
	}
	for _, g := range groups {
		if err := l.events.JoinGroup(g); err != nil {
			return fmt.Errorf("join group %d: %w", g, err)
		}
	}
	return nil
}

// Close releases the sockets of a Listener that does not run.
func (l *Listener) Close() error {
	var errs []error
	for _, c := range []*netlink.Conn{l.events, l.ask} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// Read tells of all neighbours at once, before Run, which tries again what failed.
func (l *Listener) Read() error {
	err := l.resync()
	l.stale = l.stale || err != nil
	return err
}

// Run tells of neighbours until ctx ends. Close must follow.
func (l *Listener) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.events.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var last time.Time
	for {
		due := last.Add(refreshEvery)
		if l.stale {
			due = last.Add(resyncPause)
		}
		if !time.Now().Before(due) {
			err := l.resync()
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			if err != nil && !l.failing && l.cfg.Failed != nil {
				l.cfg.Failed(err)
			}
			l.failing, l.stale = err != nil, l.stale || err != nil
			last = time.Now()
			continue
		}
		if err := l.events.SetReadDeadline(due); err != nil {
			return fmt.Errorf("neighbours: %w", err)
		}
		if ctx.Err() != nil { // its end may have been set before the deadline
			return nil
		}
		err := l.receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("neighbours: %w", err)
		}
	}
}

// receive waits for events and tells of what has come.
func (l *Listener) receive() error {
	l.update = Update{Neighbours: l.update.Neighbours[:0]}
	var failed error
	err := l.raw.Read(func(fd uintptr) bool {
		var some bool
		some, failed = l.drain(int(fd))
		return some || failed != nil
	})
	if len(l.update.Neighbours) > 0 {
		l.cfg.Handle(&l.update)
	}
	l.tellMoved()
	return errors.Join(failed, err)
}

// tellMoved tells of devices behind other ports of bridges.
func (l *Listener) tellMoved() {
	if moved, all := l.stations.take(); len(moved) > 0 || all {
		l.cfg.Moved(moved, all)
	}
}

// drain reads what the socket has, and no more than one Update should hold: of
// much that is not told what is must not wait for long. It returns false if there
// was nothing.
func (l *Listener) drain(fd int) (some bool, err error) {
	for range maxBatch {
		n, _, err := unix.Recvfrom(fd, l.buf, unix.MSG_DONTWAIT)
		switch {
		case err == nil:
			l.datagram(l.buf[:n])
		case errors.Is(err, unix.EAGAIN):
			return some, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOBUFS):
			l.overruns.Add(1)
			l.stale, l.unread = true, true
			l.stations.all = l.stations.all || len(l.stations.ports) > 0
		default:
			return some, err
		}
		some = true
	}
	return some, nil
}

// datagram takes the messages of one datagram into account.
func (l *Listener) datagram(b []byte) {
	for len(b) >= unix.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.NLMSG_HDRLEN || size > len(b) {
			return
		}
		l.message(binary.NativeEndian.Uint16(b[4:]), b[unix.NLMSG_HDRLEN:size])
		b = b[min((size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1), len(b)):]
	}
}

func (l *Listener) message(kind uint16, data []byte) {
	switch kind {
	case unix.RTM_NEWNEIGH:
		l.heard.Add(1)
		l.add(data)
		l.learn(data)
	case unix.RTM_NEWLINK:
		// A link's news are mostly its figures: only a name is of interest.
		if index, name, loopback, ok := parseLink(data); ok && !loopback && l.topology.links[index] != name {
			l.stale = true
		}
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		index, p, ok := parseAddress(data)
		l.stale = l.stale || ok && (kind == unix.RTM_DELADDR || !slices.Contains(l.topology.networks[index], p))
	case unix.RTM_DELLINK:
		l.stale = true
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		l.stale = l.stale || isDefault(data)
	}
}

// add appends the neighbour of a message to the update, if it is inside.
func (l *Listener) add(b []byte) {
	e, ok := parseNeighbour(b)
	if !ok {
		return
	}
	name, inside := l.topology.inside[e.index]
	switch {
	case !inside:
		if l.cfg.Moved != nil {
			l.stations.learnHop(&e)
		}
	case l.topology.astray(e.index, e.addr):
		l.astray.Add(1)
	default:
		l.update.Neighbours = append(l.update.Neighbours, Neighbour{e.addr, e.mac, name, e.quiet})
	}
}

// learn notes the port of a message of a bridge.
func (l *Listener) learn(b []byte) {
	if l.cfg.Moved == nil {
		return
	}
	if t, port, ok := parseStation(b); ok {
		l.stations.learn(t, port)
	}
}

// Stats are a Listener's counters.
type Stats struct {
	Events   uint64 // changes of neighbours heard
	Astray   uint64 // neighbours on one link that have an address of another's network
	Overruns uint64 // times the kernel found the socket full
	Resyncs  uint64 // times all was read
}

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	return Stats{l.heard.Load(), l.astray.Load(), l.overruns.Load(), l.resyncs.Load()}
}
