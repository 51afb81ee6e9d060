// SPDX-License-Identifier: MIT

package rules

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/nftext"
)

// Behind returns the base chains of a network namespace that drop or reject, and that do
// not see packets which a flowtable carries although rules at the hook forward have sent
// them there: those behind the first chain that sends to a flowtable of that name, or behind
// a priority if none does, and those at postrouting. netns is a descriptor; 0 means the
// process's.
func Behind(netns int, flowtable string, priority int32) (chains []string, err error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, fmt.Errorf("read chains: %w", err)
	}
	defer conn.Close()
	r := &reader{conn: conn}
	all, err := r.dump(unix.NFT_MSG_GETCHAIN, unix.NFPROTO_UNSPEC, nil)
	if err != nil {
		return nil, fmt.Errorf("read chains: %w", err)
	}
	ends, err := r.readEnding(flowtable)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	priority = ends.sending(all, priority)
	for _, m := range all {
		if len(m.Data) < 4 {
			continue
		}
		attrs := attributes(m.Data[4:])
		at := chainName{m.Data[0], text(attrs[unix.NFTA_CHAIN_TABLE]), text(attrs[unix.NFTA_CHAIN_NAME])}
		hook := attributes(attrs[unix.NFTA_CHAIN_HOOK])
		policy := attrs[unix.NFTA_CHAIN_POLICY]
		drops := len(policy) == 4 && binary.BigEndian.Uint32(policy) == verdictDrop
		if passed(at.family, hook, priority) && text(attrs[unix.NFTA_CHAIN_TYPE]) != "nat" && (drops || ends.has(at)) {
			chains = append(chains, at.String())
		}
	}
	return chains, nil
}

// passed reports whether packets that a flowtable carries pass by a hook.
func passed(family uint8, hook map[uint16][]byte, priority int32) bool {
	num, at := hook[unix.NFTA_HOOK_HOOKNUM], hook[unix.NFTA_HOOK_PRIORITY]
	if len(num) != 4 || len(at) != 4 {
		return false
	}
	switch family {
	case unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_INET:
	default:
		return false
	}
	switch binary.BigEndian.Uint32(num) {
	case unix.NF_INET_FORWARD:
		return int32(binary.BigEndian.Uint32(at)) > priority
	case unix.NF_INET_POST_ROUTING:
		return true
	}
	return false
}

// flowTableName is the attribute of `flow add` that names the flowtable.
const flowTableName = 1

// verdictDrop is the kernel's NF_DROP.
const verdictDrop = 0

// chainName names a chain.
type chainName struct {
	family      uint8
	table, name string
}

func (c chainName) String() string {
	return nftext.FamilyWord(c.family) + " " + c.table + " " + c.name
}

// ending are chains whose rules end packets, or send them to a flowtable, and those that
// these are called from.
type ending struct {
	ends, sends map[chainName]bool
	calls       map[chainName][]chainName
}

// has reports whether rules of a chain, or of one that it calls, end packets.
func (e *ending) has(c chainName) bool { return e.reaches(e.ends, c) }

// reaches reports whether a chain is one of some, or one that it calls. The kernel has no
// loops of calls.
func (e *ending) reaches(some map[chainName]bool, c chainName) bool {
	if some[c] {
		return true
	}
	for _, called := range e.calls[c] {
		if e.reaches(some, called) {
			some[c] = true
			return true
		}
	}
	return false
}

// sending returns the priority of the first of all chains at the hook forward that sends
// packets to the flowtable, or otherwise.
func (e *ending) sending(all []netlink.Message, otherwise int32) int32 {
	var found []int32
	for _, m := range all {
		if len(m.Data) < 4 {
			continue
		}
		attrs := attributes(m.Data[4:])
		hook := attributes(attrs[unix.NFTA_CHAIN_HOOK])
		num, at := hook[unix.NFTA_HOOK_HOOKNUM], hook[unix.NFTA_HOOK_PRIORITY]
		c := chainName{m.Data[0], text(attrs[unix.NFTA_CHAIN_TABLE]), text(attrs[unix.NFTA_CHAIN_NAME])}
		if len(num) == 4 && len(at) == 4 && binary.BigEndian.Uint32(num) == unix.NF_INET_FORWARD && e.reaches(e.sends, c) {
			found = append(found, int32(binary.BigEndian.Uint32(at)))
		}
	}
	if len(found) == 0 {
		return otherwise
	}
	return slices.Min(found)
}

// readEnding reads which chains end packets. Maps of verdicts are not looked into.
func (r *reader) readEnding(flowtable string) (*ending, error) {
	all, err := r.dump(unix.NFT_MSG_GETRULE, unix.NFPROTO_UNSPEC, nil)
	if err != nil {
		return nil, err
	}
	e := &ending{make(map[chainName]bool), make(map[chainName]bool), make(map[chainName][]chainName)}
	for _, m := range all {
		if len(m.Data) < 4 {
			continue
		}
		attrs := attributes(m.Data[4:])
		in := chainName{m.Data[0], text(attrs[unix.NFTA_RULE_TABLE]), text(attrs[unix.NFTA_RULE_CHAIN])}
		list, err := netlink.UnmarshalAttributes(attrs[unix.NFTA_RULE_EXPRESSIONS])
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			of := attributes(one.Data)
			switch text(of[unix.NFTA_EXPR_NAME]) {
			case "reject":
				e.ends[in] = true
			case "flow_offload":
				if text(attributes(of[unix.NFTA_EXPR_DATA])[flowTableName]) == flowtable {
					e.sends[in] = true
				}
			case "immediate":
				verdict := attributes(attributes(attributes(of[unix.NFTA_EXPR_DATA])[unix.NFTA_IMMEDIATE_DATA])[unix.NFTA_DATA_VERDICT])
				code := verdict[unix.NFTA_VERDICT_CODE]
				if len(code) == 4 && binary.BigEndian.Uint32(code) == verdictDrop {
					e.ends[in] = true
				}
				if called := text(verdict[unix.NFTA_VERDICT_CHAIN]); called != "" {
					e.calls[in] = append(e.calls[in], chainName{in.family, in.table, called})
				}
			}
		}
	}
	return e, nil
}
