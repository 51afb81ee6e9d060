// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// held returns a rule of the namespace that uses a table, as `inet filter forward
// handle 5`. It is "" where none is found: of a rule that is being deleted, or whose
// chain is another namespace's, the module still knows.
func (n *netns) held(table string) string {
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(n.file.Fd())})
	if err != nil {
		return ""
	}
	defer c.Close()
	rules, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETRULE, Flags: netlink.Request | netlink.Dump},
		Data:   []byte{unix.NFPROTO_UNSPEC, unix.NFNETLINK_V0, 0, 0},
	})
	if err != nil {
		return ""
	}
	for _, r := range rules {
		if place := heldBy(r.Data, table); place != "" {
			return place
		}
	}
	return ""
}

// heldBy returns where the rule of a dump stands if it uses a table.
func heldBy(rule []byte, table string) string {
	const header = 4
	if len(rule) < header {
		return ""
	}
	var (
		name, chain string
		handle      uint64
		uses        bool
	)
	err := each(rule[header:], func(a attr) error {
		switch a.typ {
		case unix.NFTA_RULE_TABLE:
			name = a.text()
		case unix.NFTA_RULE_CHAIN:
			chain = a.text()
		case unix.NFTA_RULE_HANDLE:
			if len(a.data) == 8 {
				handle = binary.BigEndian.Uint64(a.data)
			}
		case unix.NFTA_RULE_EXPRESSIONS:
			return each(a.data, func(a attr) error {
				uses = uses || exprUses(a.data, table)
				return nil
			})
		}
		return nil
	})
	if err != nil || !uses {
		return ""
	}
	return fmt.Sprintf("%s %s %s handle %d", nftext.FamilyWord(rule[0]), name, chain, handle)
}

// exprUses reports whether an element of a rule is an expression of ours that looks
// a row of a table up, or writes one.
func exprUses(element []byte, table string) bool {
	var (
		name string
		data []byte
	)
	err := each(element, func(a attr) error {
		switch a.typ {
		case unix.NFTA_EXPR_NAME:
			name = a.text()
		case unix.NFTA_EXPR_DATA:
			data = a.data
		}
		return nil
	})
	if err != nil || name != exprName {
		return false
	}
	uses := false
	err = each(data, func(a attr) error {
		if a.typ == exprLookup || a.typ == exprSource {
			uses = uses || lookupUses(a.data, table, nftext.MaxDepth)
		}
		return nil
	})
	return err == nil && uses
}

// lookupUses reports whether a lookup, or one of up to that many in its key, is in a
// table.
func lookupUses(lookup []byte, table string, depth int) (uses bool) {
	err := each(lookup, func(a attr) error {
		switch {
		case a.typ == lookupTable:
			uses = uses || dict.Name(a.text()) == table
		case a.typ == lookupNested && depth > 0:
			uses = uses || lookupUses(a.data, table, depth-1)
		}
		return nil
	})
	return err == nil && uses
}
