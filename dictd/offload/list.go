// SPDX-License-Identifier: MIT

package offload

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Found is a flowtable of anybody's.
type Found struct {
	Family   string // "inet", "ip", "ip6"
	Table    string
	Name     string
	Devices  []string
	Hardware bool // devices are asked to carry connections
	Counts   bool // what it carries is counted
}

// String returns it in nft's words.
func (f *Found) String() string {
	text := f.Family + " " + f.Table + " " + f.Name + " over " + strings.Join(f.Devices, ", ")
	if f.Hardware {
		text += ", flags offload"
	}
	if !f.Counts {
		text += ", without counter: what it carries is in no figure"
	}
	return text
}

// List returns all flowtables of a network namespace; 0 means the caller's.
func List(netns int) ([]Found, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, fmt.Errorf("flowtables: %w", err)
	}
	defer conn.Close()
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | nftables.NFT_MSG_GETFLOWTABLE, Flags: netlink.Request | netlink.Dump},
		Data:   []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, 0},
	})
	if err != nil {
		return nil, fmt.Errorf("flowtables: %w", err)
	}
	var all []Found
	for _, m := range messages {
		f, err := parseFlowtable(m.Data)
		if err != nil {
			return nil, fmt.Errorf("flowtables: %w", err)
		}
		all = append(all, f)
	}
	return all, nil
}

// parseFlowtable reads a message about a flowtable.
func parseFlowtable(b []byte) (f Found, err error) {
	if len(b) < 4 {
		return f, unix.EINVAL
	}
	f.Family = map[byte]string{unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6", unix.NFPROTO_INET: "inet"}[b[0]]
	d, err := netlink.NewAttributeDecoder(b[4:])
	if err != nil {
		return f, err
	}
	d.ByteOrder = binary.BigEndian
	for d.Next() {
		switch d.Type() {
		case nftables.NFTA_FLOWTABLE_TABLE:
			f.Table = d.String()
		case nftables.NFTA_FLOWTABLE_NAME:
			f.Name = d.String()
		case nftables.NFTA_FLOWTABLE_FLAGS:
			flags := nftables.FlowtableFlags(d.Uint32())
			f.Hardware, f.Counts = flags&nftables.FlowtableFlagsHWOffload != 0, flags&nftables.FlowtableFlagsCounter != 0
		case nftables.NFTA_FLOWTABLE_HOOK:
			d.Nested(func(d *netlink.AttributeDecoder) error {
				for d.Next() {
					if d.Type() != nftables.NFTA_FLOWTABLE_DEVS {
						continue
					}
					d.Nested(func(d *netlink.AttributeDecoder) error {
						for d.Next() {
							f.Devices = append(f.Devices, d.String())
						}
						return nil
					})
				}
				return nil
			})
		}
	}
	slices.Sort(f.Devices)
	return f, d.Err()
}

// Devices returns the network devices that a flowtable has unless others are named,
// with what they say of themselves.
func Devices(netns int) ([]Device, error) {
	all, err := readLinks(netns)
	if err != nil {
		return nil, err
	}
	return ask(netns, choose(all, nil))
}
