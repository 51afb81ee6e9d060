// SPDX-License-Identifier: MIT

package neighbour

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// resync reads neighbours, and links, routes and networks if they may have
// changed, and tells of all.
func (l *Listener) resync() error {
	l.resyncs.Add(1)
	if l.stale || l.topology.links == nil {
		l.stale = false
		if err := l.survey(); err != nil {
			return fmt.Errorf("neighbours: %w", err)
		}
	}
	l.update = Update{Neighbours: l.update.Neighbours[:0], Inside: l.topology.names(), Links: l.topology.inside}
	if err := l.dump(unix.RTM_GETNEIGH, unix.AF_UNSPEC, neighbourHeader, l.add); err != nil {
		return fmt.Errorf("neighbours: %w", err)
	}
	l.cfg.Handle(&l.update)
	err := l.readBridges()
	l.tellMoved()
	return err
}

// readBridges reads by which ports bridges reach devices, if that is not known.
func (l *Listener) readBridges() error {
	if l.cfg.Moved == nil || !l.unread && !l.stations.full {
		return nil
	}
	if l.stations.full {
		l.stations.forget()
	}
	l.unread = false
	if err := l.dump(unix.RTM_GETNEIGH, unix.AF_BRIDGE, neighbourHeader, l.learn); err != nil {
		l.unread = true
		return fmt.Errorf("devices on bridges: %w", err)
	}
	return nil
}

// survey finds out which interfaces are inside, and what their networks are.
func (l *Listener) survey() error {
	links := make(map[uint32]string)
	err := l.dump(unix.RTM_GETLINK, unix.AF_UNSPEC, linkHeader, func(b []byte) {
		if index, name, loopback, ok := parseLink(b); ok && !loopback {
			links[index] = name
		}
	})
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	outside := l.outside
	if len(l.cfg.Interfaces) == 0 {
		if outside, err = l.defaults(); err != nil {
			return fmt.Errorf("default routes: %w", err)
		}
		if len(outside) == 0 { // the way out is down: it is not inside for that
			outside = l.outside
		}
	}
	networks := make(map[uint32][]netip.Prefix)
	err = l.dump(unix.RTM_GETADDR, unix.AF_UNSPEC, addressHeader, func(b []byte) {
		if index, p, ok := parseAddress(b); ok {
			networks[index] = append(networks[index], p)
		}
	})
	if err != nil {
		return fmt.Errorf("addresses: %w", err)
	}
	l.outside = outside
	l.topology = newTopology(links, l.cfg.Interfaces, outside, networks)
	return nil
}

// defaults returns the interfaces by which default routes leave. A table may have
// a million others: none is kept.
func (l *Listener) defaults() (map[uint32]struct{}, error) {
	out := make(map[uint32]struct{})
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		err := l.dump(unix.RTM_GETROUTE, family, routeHeader, func(b []byte) {
			if !isDefault(b) {
				return
			}
			for _, index := range leavesBy(b) {
				out[index] = struct{}{}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// dump asks for all of a kind; header is the size of the kind's fixed part. What
// the kernel could not tell as a whole is asked for again soon.
func (l *Listener) dump(kind netlink.HeaderType, family byte, header int, f func([]byte)) error {
	data := make([]byte, header)
	data[0] = family
	sent, err := l.ask.Send(netlink.Message{Header: netlink.Header{Type: kind, Flags: netlink.Request | netlink.Dump}, Data: data})
	if err != nil {
		return err
	}
	for m, err := range l.ask.ReceiveIter() {
		switch {
		case err != nil:
			return err
		case m.Header.Sequence != sent.Header.Sequence:
			return errors.New("an answer to something else")
		case m.Header.Flags&netlink.DumpInterrupted != 0:
			l.stale = true
		}
		f(m.Data)
	}
	return nil
}
