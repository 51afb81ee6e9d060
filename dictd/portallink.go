// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// isAbove refuses an interface that belongs to another, a bridge or a VRF: rules see
// that one's name, and nobody would have to log in. One that is not there may come.
func (d *Daemon) isAbove(name string) error {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: d.o.NetNS})
	if err != nil {
		return fmt.Errorf("portal.interfaces: %w", err)
	}
	defer conn.Close()
	e := netlink.NewAttributeEncoder()
	e.String(unix.IFLA_IFNAME, name)
	attrs, err := e.Encode()
	if err != nil {
		return err
	}
	links, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETLINK, Flags: netlink.Request}, Data: append(make([]byte, unix.SizeofIfInfomsg), attrs...),
	})
	if err != nil || len(links) != 1 || len(links[0].Data) < unix.SizeofIfInfomsg {
		return nil
	}
	a, err := netlink.NewAttributeDecoder(links[0].Data[unix.SizeofIfInfomsg:])
	if err != nil {
		return fmt.Errorf("portal.interfaces %s: %w", dict.Quote(name), err)
	}
	for a.Next() {
		if a.Type() != unix.IFLA_MASTER {
			continue
		}
		master, err := d.portal.names.of(a.Uint32())
		if err != nil {
			return fmt.Errorf("portal.interfaces %s: %w", dict.Quote(name), err)
		}
		return fmt.Errorf("portal.interfaces %s: %w: it belongs to %s, under whose name its packets come; remedy: name that", dict.Quote(name), dict.ErrInvalid, dict.Quote(master))
	}
	return a.Err()
}
