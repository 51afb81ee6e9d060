// SPDX-License-Identifier: MIT

package offload

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// link is a network device.
type link struct {
	index uint32
	name  string
	arp   uint16 // ARPHRD_*
	kind  string // of virtual ones: "vlan", "bridge", "veth"
}

// fit reports whether a flowtable may have the device unless devices are named. Of
// VLANs, bridges and PPPoE the kernel finds the device below.
func (l *link) fit() bool {
	return l.arp == unix.ARPHRD_ETHER && !slices.Contains([]string{"vlan", "bridge", "dummy", "ifb", "nlmon"}, l.kind)
}

// choose returns the names of the links that the patterns name, or of those that are
// fit, in their order.
func choose(links []link, patterns []string) (names []string) {
	for _, l := range links {
		chosen := len(patterns) == 0 && l.fit()
		for _, p := range patterns {
			if ok, err := path.Match(p, l.name); ok && err == nil {
				chosen = true
			}
		}
		if chosen {
			names = append(names, l.name)
		}
	}
	slices.Sort(names)
	return names
}

// readLinks returns all network devices of a namespace.
func readLinks(netns int) ([]link, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, fmt.Errorf("network devices: %w", err)
	}
	defer conn.Close()
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETLINK, Flags: netlink.Request | netlink.Dump}, Data: make([]byte, unix.SizeofIfInfomsg),
	})
	if err != nil {
		return nil, fmt.Errorf("network devices: %w", err)
	}
	var links []link
	for _, m := range messages {
		if l, ok := parseLink(m); ok {
			links = append(links, l)
		}
	}
	return links, nil
}

// parseLink reads a message about a link.
func parseLink(m netlink.Message) (l link, ok bool) {
	if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
		return l, false
	}
	// struct ifinfomsg: family, pad, type of hardware, index.
	l.arp, l.index = binary.NativeEndian.Uint16(m.Data[2:]), binary.NativeEndian.Uint32(m.Data[4:])
	d, err := netlink.NewAttributeDecoder(m.Data[unix.SizeofIfInfomsg:])
	if err != nil {
		return l, false
	}
	for d.Next() {
		switch d.Type() {
		case unix.IFLA_IFNAME:
			l.name = d.String()
		case unix.IFLA_LINKINFO:
			d.Nested(func(d *netlink.AttributeDecoder) error {
				for d.Next() {
					if d.Type() == unix.IFLA_INFO_KIND {
						l.kind = d.String()
					}
				}
				return nil
			})
		}
	}
	return l, d.Err() == nil && l.name != ""
}

// together is how long news of links are waited for that come together.
const together = 100 * time.Millisecond

// watchLinks calls changed when links have come, gone, or got another name, until
// ctx ends. News that come together are one call.
func watchLinks(ctx context.Context, netns int, changed func()) error {
	return watch(ctx, netns, "network devices", []uint32{unix.RTNLGRP_LINK}, changed)
}

// watchRoutes is watchLinks for routes and what chooses among their tables: the
// kernel looks up the way of a connection that it carries only once.
func watchRoutes(ctx context.Context, netns int, changed func()) error {
	return watch(ctx, netns, "routes", []uint32{unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE}, changed)
}

func watch(ctx context.Context, netns int, what string, groups []uint32, changed func()) error {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: netns})
	if err != nil {
		return fmt.Errorf("watch %s: %w", what, err)
	}
	defer conn.Close()
	for _, g := range groups {
		if err := conn.JoinGroup(g); err != nil {
			return fmt.Errorf("watch %s: %w", what, err)
		}
	}
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for ctx.Err() == nil {
		_, err := conn.Receive()
		var op *netlink.OpError
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil || errors.Is(err, unix.ENOBUFS): // anything may have happened
		case errors.As(err, &op) && op.Timeout():
			continue
		default:
			return fmt.Errorf("watch %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(together):
		}
		changed()
	}
	return nil
}
