// SPDX-License-Identifier: MIT

package rule

import (
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/nftext"
)

// message is one message of a batch and what it is for.
type message struct {
	netlink.Message
	what   string // for errors
	text   string // for String
	rule   int    // the index of the rule it belongs to, -1 if to none
	starts []int
	list   []Statement // the rule's statements, with starts in Data
}

// newMessage returns a message of nf_tables.
func newMessage(typ int, flags netlink.HeaderFlags, family uint8, attrs []byte) message {
	return message{rule: -1, Message: netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | typ), Flags: netlink.Request | flags},
		Data:   append([]byte{family, unix.NFNETLINK_V0, 0, 0}, attrs...),
	}}
}

// bracket returns a message that begins or ends a batch.
func bracket(typ netlink.HeaderType) message {
	return message{rule: -1, what: "transaction", Message: netlink.Message{
		Header: netlink.Header{Type: typ, Flags: netlink.Request},
		Data:   []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, unix.NFNL_SUBSYS_NFTABLES},
	}}
}

// statement returns the statement whose expressions are at an offset into the
// whole message, as extended acknowledgements count; nil if none is.
func (m *message) statement(offset int) Statement {
	const header = unix.SizeofNlMsghdr
	var found Statement
	for i, start := range m.starts {
		if offset >= header+start {
			found = m.list[i]
		}
	}
	return found
}

// describe says what a message does, with the names of what it does it to.
func describe(m netlink.Message) string {
	const header = 4 // struct nfgenmsg
	text := words(m.Header.Type)
	if len(m.Data) < header {
		return text
	}
	d, err := netlink.NewAttributeDecoder(m.Data[header:])
	if err != nil {
		return text
	}
	text += " " + nftext.FamilyWord(m.Data[0])
	name := uint16(unix.NFTA_SET_NAME) // and of rules, elements, objects and flowtables
	switch m.Header.Type & 0xff {
	case unix.NFT_MSG_NEWTABLE, unix.NFT_MSG_DELTABLE:
		name = unix.NFTA_TABLE_NAME
	case unix.NFT_MSG_NEWCHAIN, unix.NFT_MSG_DELCHAIN:
		name = unix.NFTA_CHAIN_NAME
	}
	for d.Next() {
		if t := d.Type(); t == unix.NFTA_TABLE_NAME || t == name {
			text += " " + d.String()
		}
	}
	return text
}

// words names the kinds of messages in errors.
func words(typ netlink.HeaderType) string {
	switch typ & 0xff {
	case unix.NFT_MSG_NEWTABLE:
		return "add table"
	case unix.NFT_MSG_DELTABLE:
		return "delete table"
	case unix.NFT_MSG_NEWCHAIN:
		return "add chain"
	case unix.NFT_MSG_DELCHAIN:
		return "delete chain"
	case unix.NFT_MSG_NEWRULE:
		return "add rule"
	case unix.NFT_MSG_DELRULE:
		return "delete rule"
	case unix.NFT_MSG_NEWSET:
		return "add set"
	case unix.NFT_MSG_DELSET:
		return "delete set"
	case unix.NFT_MSG_NEWSETELEM:
		return "add elements to set"
	case unix.NFT_MSG_DELSETELEM:
		return "delete elements of set"
	case unix.NFT_MSG_NEWOBJ:
		return "add object"
	case unix.NFT_MSG_DELOBJ:
		return "delete object"
	case unix.NFT_MSG_NEWFLOWTABLE:
		return "add flowtable"
	case unix.NFT_MSG_DELFLOWTABLE:
		return "delete flowtable"
	}
	return "message"
}
