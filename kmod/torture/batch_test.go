// SPDX-License-Identifier: MIT

package torture

import (
	"errors"

	"golang.org/x/sys/unix"
)

// batch is a transaction of nf_tables under construction.
type batch struct {
	s   *socket
	buf []byte
}

func newBatch(s *socket) *batch {
	b := &batch{s: s}
	b.mark(unix.NFNL_MSG_BATCH_BEGIN)
	return b
}

func (b *batch) mark(typ uint16) {
	b.buf = append(b.buf, b.s.message(typ, unix.NLM_F_REQUEST, []byte{0, 0, 0, unix.NFNL_SUBSYS_NFTABLES})...)
}

// add adds a message, which is acknowledged.
func (b *batch) add(msg, flags uint16, family uint8, attrs ...*node) {
	body := encode([]byte{family, 0, 0, 0}, attrs)
	b.buf = append(b.buf, b.s.message(unix.NFNL_SUBSYS_NFTABLES<<8|msg, unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags, body)...)
}

// commit sends the transaction. The error is the first that the kernel tells
// of, and then nothing has been done; or errSilent.
func (b *batch) commit() error {
	b.mark(unix.NFNL_MSG_BATCH_END)
	return b.s.submit(b.buf)
}

// submit sends messages and returns the first error that is told of them.
func (s *socket) submit(buf []byte) error {
	if err := s.send(buf); err != nil {
		return err
	}
	failed := error(errSilent)
	err := s.drain(func(p part) {
		if p.typ != unix.NLMSG_ERROR {
			return
		}
		if errors.Is(failed, errSilent) {
			failed = nil
		}
		if e := p.errno(); e != 0 && failed == nil {
			failed = e
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// flushRules deletes all rules of the namespace.
func (h *host) flushRules() error {
	b := newBatch(h.nft)
	b.add(unix.NFT_MSG_DELTABLE, 0, unix.NFPROTO_UNSPEC)
	return b.commit()
}

const ctDelete = 2

// flushEntries deletes all conntrack entries of the namespace.
func (h *host) flushEntries() error {
	return h.nft.do(unix.NFNL_SUBSYS_CTNETLINK<<8|ctDelete, 0, []byte{0, 0, 0, 0}, nil)
}

// chain is where rules are loaded.
type chain struct {
	family uint8
	name   string
	hook   uint32
	device string
}

// chains returns one for every family and hook. veth is the device for those
// of family netdev.
func chains(veth string) (list []chain) {
	for family, hooks := range map[uint8][]string{
		unix.NFPROTO_INET: {"prerouting", "input", "forward", "output", "postrouting"}, unix.NFPROTO_IPV4: {"prerouting", "input", "forward", "output", "postrouting"},
		unix.NFPROTO_IPV6:   {"prerouting", "input", "forward", "output", "postrouting"},
		unix.NFPROTO_BRIDGE: {"prerouting", "input", "forward", "output", "postrouting"}, unix.NFPROTO_ARP: {"input", "output"},
		unix.NFPROTO_NETDEV: {"ingress", "egress"},
	} {
		for hook, name := range hooks {
			c := chain{family: family, name: name, hook: uint32(hook)}
			if family == unix.NFPROTO_NETDEV {
				c.device = veth
			}
			list = append(list, c)
		}
	}
	return list
}

const tableName = "torture"

// addChain adds the chain and its table, if they are not there.
func (b *batch) addChain(c chain) {
	hook := nest(unix.NFTA_CHAIN_HOOK, be32(unix.NFTA_HOOK_HOOKNUM, c.hook), be32(unix.NFTA_HOOK_PRIORITY, 0))
	if c.device != "" {
		hook.kids = append(hook.kids, text(unix.NFTA_HOOK_DEV, c.device))
	}
	b.add(unix.NFT_MSG_NEWTABLE, unix.NLM_F_CREATE, c.family, text(unix.NFTA_TABLE_NAME, tableName))
	b.add(unix.NFT_MSG_NEWCHAIN, unix.NLM_F_CREATE, c.family, text(unix.NFTA_CHAIN_TABLE, tableName), text(unix.NFTA_CHAIN_NAME, c.name),
		hook, text(unix.NFTA_CHAIN_TYPE, "filter"))
}

// addRule adds a rule of expressions, of which each is a list element.
func (b *batch) addRule(c chain, exprs ...*node) {
	b.add(unix.NFT_MSG_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_APPEND, c.family, text(unix.NFTA_RULE_TABLE, tableName), text(unix.NFTA_RULE_CHAIN, c.name),
		nest(unix.NFTA_RULE_EXPRESSIONS, exprs...))
}

// delRules deletes all rules of a chain.
func (b *batch) delRules(c chain) {
	b.add(unix.NFT_MSG_DELRULE, 0, c.family, text(unix.NFTA_RULE_TABLE, tableName), text(unix.NFTA_RULE_CHAIN, c.name))
}

// expression is one expression of a rule.
func expression(name string, attrs ...*node) *node {
	return nest(unix.NFTA_LIST_ELEM, text(unix.NFTA_EXPR_NAME, name), nest(unix.NFTA_EXPR_DATA, attrs...))
}
