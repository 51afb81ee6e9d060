// SPDX-License-Identifier: MIT

package neighbour

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// resync reads links, default routes and neighbours, and tells of all.
func (l *Listener) resync() error {
	l.stale = false
	l.resyncs.Add(1)
	links, err := l.links()
	if err != nil {
		return fmt.Errorf("neighbours: links: %w", err)
	}
	var outside map[uint32]struct{}
	if len(l.cfg.Interfaces) == 0 {
		if outside, err = l.outside(); err != nil {
			return fmt.Errorf("neighbours: default routes: %w", err)
		}
	}
	l.topology = newTopology(links, l.cfg.Interfaces, outside)
	l.update = Update{Neighbours: l.update.Neighbours[:0], Inside: l.topology.names()}
	messages, err := l.dump(unix.RTM_GETNEIGH, unix.AF_UNSPEC, neighbourHeader)
	if err != nil {
		return fmt.Errorf("neighbours: %w", err)
	}
	for _, m := range messages {
		l.add(m.Data)
	}
	l.cfg.Handle(&l.update)
	return nil
}

func (l *Listener) links() (map[uint32]string, error) {
	messages, err := l.dump(unix.RTM_GETLINK, unix.AF_UNSPEC, linkHeader)
	if err != nil {
		return nil, err
	}
	links := make(map[uint32]string)
	for _, m := range messages {
		if index, name, loopback, ok := parseLink(m.Data); ok && !loopback {
			links[index] = name
		}
	}
	return links, nil
}

// outside returns the interfaces by which default routes leave.
func (l *Listener) outside() (map[uint32]struct{}, error) {
	out := make(map[uint32]struct{})
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		messages, err := l.dump(unix.RTM_GETROUTE, family, routeHeader)
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			if !isDefault(m.Data) {
				continue
			}
			for _, index := range leavesBy(m.Data) {
				out[index] = struct{}{}
			}
		}
	}
	return out, nil
}

// dump asks for all of a kind; header is the size of the kind's fixed part.
func (l *Listener) dump(kind netlink.HeaderType, family byte, header int) ([]netlink.Message, error) {
	data := make([]byte, header)
	data[0] = family
	return l.ask.Execute(netlink.Message{Header: netlink.Header{Type: kind, Flags: netlink.Request | netlink.Dump}, Data: data})
}
