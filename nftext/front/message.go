// SPDX-License-Identifier: MIT

package front

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// message is one netlink message, aliasing the datagram it was read from.
type message struct {
	typ uint16
	seq uint32
	raw []byte // header and body, unpadded
}

const (
	msgHeader   = unix.NLMSG_HDRLEN
	nfgenHeader = 4 // struct nfgenmsg: family, version, resource id
	ruleHeader  = msgHeader + nfgenHeader

	msgNewRule = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWRULE
	msgDelRule = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_DELRULE
)

var errMessage = errors.New("malformed netlink message")

// nextMessage returns the first message of a datagram and what follows it.
func nextMessage(b []byte) (m message, rest []byte, err error) {
	if len(b) < msgHeader {
		return m, nil, errMessage
	}
	n := binary.NativeEndian.Uint32(b)
	if n < msgHeader || uint64(n) > uint64(len(b)) {
		return m, nil, errMessage
	}
	m = message{
		typ: binary.NativeEndian.Uint16(b[4:]),
		seq: binary.NativeEndian.Uint32(b[8:]),
		raw: b[:n],
	}
	return m, b[min(align4(int(n)), len(b)):], nil
}

// rule is the part of a rule message that translation looks at.
type rule struct {
	target Target
	attrs  []attr // offsets count from ruleHeader
	exprs  int    // index in attrs of NFTA_RULE_EXPRESSIONS, or -1
	user   int    // index in attrs of NFTA_RULE_USERDATA, or -1
}

// userData returns the rule's user data, nil if it has none.
func (r *rule) userData() []byte {
	if r.user < 0 {
		return nil
	}
	return r.attrs[r.user].data
}

// readRule reads a NEWRULE or DELRULE message.
func readRule(m message) (r rule, err error) {
	if len(m.raw) < ruleHeader {
		return r, errMessage
	}
	r.target.Family = m.raw[msgHeader]
	r.exprs, r.user = -1, -1
	if r.attrs, err = readAttrs(m.raw[ruleHeader:], make([]attr, 0, 8)); err != nil {
		return r, err
	}
	for i, a := range r.attrs {
		switch a.typ {
		case unix.NFTA_RULE_TABLE:
			r.target.Table = cstring(a.data)
		case unix.NFTA_RULE_CHAIN:
			r.target.Chain = cstring(a.data)
		case unix.NFTA_RULE_EXPRESSIONS:
			r.exprs = i
		case unix.NFTA_RULE_USERDATA:
			r.user = i
		}
	}
	return r, nil
}

// appendRule appends the message with other expressions, a list of elements, and
// other user data, and mends the lengths. A list too long for an attribute is an
// error. User data that the message has none of goes to its end.
func appendRule(b []byte, m message, r rule, exprs, user []byte) ([]byte, error) {
	if attrHeader+len(exprs) > 0xffff {
		return nil, errors.New("rule too large: its expressions exceed 64 KiB")
	}
	start := len(b)
	b = append(b, m.raw[:ruleHeader]...)
	for i, a := range r.attrs {
		switch {
		case i == r.exprs:
			b = appendAttr(b, binary.NativeEndian.Uint16(a.raw[2:]), exprs)
		case i != r.user:
			b = pad4(append(b, a.raw...))
		case len(user) > 0:
			b = appendAttr(b, unix.NFTA_RULE_USERDATA, user)
		}
	}
	if r.user < 0 && len(user) > 0 {
		b = appendAttr(b, unix.NFTA_RULE_USERDATA, user)
	}
	binary.NativeEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b, nil
}
