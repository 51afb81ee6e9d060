// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/nftext"
)

// used returns which rule consults the table with this id, as `ip filter
// forward handle 5`, "" if none does.
func (n *netns) used(id uint32) (place string, err error) {
	err = n.eachRule(func(r dumpedRule) {
		for _, l := range r.labels {
			if place == "" && slices.Contains(l.tables, id) {
				place = r.place
			}
		}
	})
	return place, err
}

// eachRule calls f for every rule of the namespace.
func (n *netns) eachRule(f func(dumpedRule)) error {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(n.file.Fd())})
	if err != nil {
		return explain("list rules", err)
	}
	defer conn.Close()
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{
			Type:  unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETRULE,
			Flags: netlink.Request | netlink.Dump,
		},
		Data: []byte{unix.NFPROTO_UNSPEC, unix.NFNETLINK_V0, 0, 0},
	})
	if err != nil {
		return explain("list rules", err)
	}
	for _, m := range messages {
		rule, err := parseRule(m.Data)
		if err != nil {
			return fmt.Errorf("list rules: %w", err)
		}
		f(rule)
	}
	return nil
}

// dumpedRule is what we need of a rule that the kernel lists.
type dumpedRule struct {
	place  string
	labels []label // of our terms in it
}

// parseRule reads an NFT_MSG_NEWRULE of a dump.
func parseRule(data []byte) (dumpedRule, error) {
	var r dumpedRule
	if len(data) < 4 {
		return r, fmt.Errorf("message of %d bytes", len(data))
	}
	attrs, err := netlink.NewAttributeDecoder(data[4:])
	if err != nil {
		return r, err
	}
	attrs.ByteOrder = binary.BigEndian
	var table, chain string
	var handle uint64
	for attrs.Next() {
		switch attrs.Type() {
		case unix.NFTA_RULE_TABLE:
			table = attrs.String()
		case unix.NFTA_RULE_CHAIN:
			chain = attrs.String()
		case unix.NFTA_RULE_HANDLE:
			handle = attrs.Uint64()
		case unix.NFTA_RULE_EXPRESSIONS:
			attrs.Nested(func(list *netlink.AttributeDecoder) error {
				for list.Next() {
					list.Nested(func(e *netlink.AttributeDecoder) error {
						if l, ok := labelOf(e); ok {
							r.labels = append(r.labels, l)
						}
						return nil
					})
				}
				return nil
			})
		}
	}
	r.place = fmt.Sprintf("%s %s %s handle %d", nftext.FamilyWord(data[0]), table, chain, handle)
	return r, attrs.Err()
}

// labelOf returns the label of one expression, false if it has none of ours.
func labelOf(e *netlink.AttributeDecoder) (label, bool) {
	var name string
	var data []byte
	for e.Next() {
		switch e.Type() {
		case unix.NFTA_EXPR_NAME:
			name = e.String()
		case unix.NFTA_EXPR_DATA:
			data = e.Bytes()
		}
	}
	return parseMatch(name, data)
}
