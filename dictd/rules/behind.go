// SPDX-License-Identifier: MIT

package rules

import (
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/nftext"
)

// Behind returns the base chains of a network namespace that drop or reject, and that do
// not see packets which a flowtable carries although rules at the hook forward, up to a
// priority, have sent them there: those behind it, and those at postrouting. netns is a
// descriptor; 0 means the process's.
func Behind(netns int, priority int32) (chains []string, err error) {
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
	ends, err := r.readEnding()
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
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

// ending are chains whose rules end packets, and those that these are called from.
type ending struct {
	ends  map[chainName]bool
	calls map[chainName][]chainName
}

// has reports whether rules of a chain, or of one that it calls, end packets. The kernel
// has no loops of calls.
func (e *ending) has(c chainName) bool {
	if e.ends[c] {
		return true
	}
	for _, called := range e.calls[c] {
		if e.has(called) {
			e.ends[c] = true
			return true
		}
	}
	return false
}

// readEnding reads which chains end packets. Maps of verdicts are not looked into.
func (r *reader) readEnding() (*ending, error) {
	all, err := r.dump(unix.NFT_MSG_GETRULE, unix.NFPROTO_UNSPEC, nil)
	if err != nil {
		return nil, err
	}
	e := &ending{make(map[chainName]bool), make(map[chainName][]chainName)}
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
