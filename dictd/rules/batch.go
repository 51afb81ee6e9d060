// SPDX-License-Identifier: MIT

package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// batch is a transaction of nf_tables in the making. The library of nft
// objects for Go cannot carry foreign expressions or table flags, and this is
// all of it that is left to do.
type batch struct {
	family   uint8
	messages []netlink.Message
	what     []string // what each message is for
	err      error
}

func newBatch(family uint8) *batch {
	b := &batch{family: family}
	b.bracket(unix.NFNL_MSG_BATCH_BEGIN)
	return b
}

func (b *batch) bracket(typ netlink.HeaderType) {
	b.what = append(b.what, "transaction")
	b.messages = append(b.messages, netlink.Message{
		Header: netlink.Header{Type: typ, Flags: netlink.Request},
		Data:   []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, unix.NFNL_SUBSYS_NFTABLES},
	})
}

// add appends a message whose attributes fill writes.
func (b *batch) add(typ int, flags netlink.HeaderFlags, what string, fill func(*netlink.AttributeEncoder)) {
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	fill(e)
	attrs, err := e.Encode()
	if err != nil {
		b.err = errors.Join(b.err, fmt.Errorf("%s: %w", what, err))
		return
	}
	b.what = append(b.what, what)
	b.messages = append(b.messages, netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | typ),
			Flags: netlink.Request | netlink.Acknowledge | flags,
		},
		Data: append([]byte{b.family, unix.NFNETLINK_V0, 0, 0}, attrs...),
	})
}

func (b *batch) table(name string, flags uint32) {
	b.add(unix.NFT_MSG_NEWTABLE, netlink.Create, fmt.Sprintf("table %q", name), func(e *netlink.AttributeEncoder) {
		e.String(unix.NFTA_TABLE_NAME, name)
		e.Uint32(unix.NFTA_TABLE_FLAGS, flags)
	})
}

func (b *batch) deleteTable(name string) {
	b.add(unix.NFT_MSG_DELTABLE, 0, fmt.Sprintf("delete table %q", name), func(e *netlink.AttributeEncoder) {
		e.String(unix.NFTA_TABLE_NAME, name)
	})
}

func (b *batch) chain(table string, c chain) {
	b.add(unix.NFT_MSG_NEWCHAIN, netlink.Create, fmt.Sprintf("chain %q", c.name), func(e *netlink.AttributeEncoder) {
		e.String(unix.NFTA_CHAIN_TABLE, table)
		e.String(unix.NFTA_CHAIN_NAME, c.name)
		if !c.base {
			return
		}
		e.Nested(unix.NFTA_CHAIN_HOOK, func(e *netlink.AttributeEncoder) error {
			e.Uint32(unix.NFTA_HOOK_HOOKNUM, c.hook)
			e.Int32(unix.NFTA_HOOK_PRIORITY, c.priority)
			return nil
		})
		e.String(unix.NFTA_CHAIN_TYPE, "filter")
		const accept = 1 // NF_ACCEPT
		e.Uint32(unix.NFTA_CHAIN_POLICY, accept)
	})
}

func (b *batch) rule(table, chain string, r rule) {
	what := fmt.Sprintf("chain %q: rule %q", chain, r.text)
	exprs, err := r.encode(b.family)
	if err != nil {
		b.err = errors.Join(b.err, fmt.Errorf("%s: %w", what, err))
		return
	}
	b.add(unix.NFT_MSG_NEWRULE, netlink.Create|netlink.Append, what, func(e *netlink.AttributeEncoder) {
		e.String(unix.NFTA_RULE_TABLE, table)
		e.String(unix.NFTA_RULE_CHAIN, chain)
		e.Bytes(unix.NFTA_RULE_EXPRESSIONS|unix.NLA_F_NESTED, exprs)
		if r.text != "" {
			e.Bytes(unix.NFTA_RULE_USERDATA, comment(r.text))
		}
	})
}

// comment encodes a rule's comment as nft does: type 0, length, text with NUL.
func comment(text string) []byte {
	const most = 128
	if len(text) >= most {
		text = text[:most-1]
	}
	return append(append([]byte{0, byte(len(text) + 1)}, text...), 0)
}

// commit sends the transaction and waits for the kernel's answers. An error
// names what the kernel refused and wraps its errno; nothing has changed then.
func (b *batch) commit(conn *netlink.Conn) error {
	if b.err != nil {
		return b.err
	}
	b.bracket(unix.NFNL_MSG_BATCH_END)
	if _, err := conn.SendMessages(b.messages); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	// The kernel answers the messages that ask for it, in their order; it
	// answers the first of all if it refuses the transaction as a whole.
	var refused refusals
	for _, m := range b.messages {
		if m.Header.Flags&netlink.Acknowledge == 0 {
			continue
		}
		_, err := conn.Receive()
		if err == nil {
			continue
		}
		var op *netlink.OpError
		if !errors.As(err, &op) || op.Sequence == 0 {
			return err
		}
		i := slices.IndexFunc(b.messages, func(m netlink.Message) bool { return m.Header.Sequence == op.Sequence })
		if i < 0 {
			continue
		}
		refused = append(refused, refusal{i, fmt.Errorf("%s: %w", b.what[i], err)})
		if i == 0 {
			break
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return refused
}

// refusals are the messages of a transaction that the kernel refused, and so
// the whole.
type refusals []refusal

type refusal struct {
	index int // of the message in the batch
	error
}

// Error joins the texts.
func (r refusals) Error() string { return errors.Join(r.Unwrap()...).Error() }

// Unwrap returns the refusals.
func (r refusals) Unwrap() []error {
	errs := make([]error, len(r))
	for i := range r {
		errs[i] = r[i].error
	}
	return errs
}

// answerTimeout bounds the wait for one answer of the kernel.
const answerTimeout = 10 * time.Second

// appendAttr appends one netlink attribute to b.
func appendAttr(b []byte, typ uint16, v []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.NLA_HDRLEN+len(v)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, v...)
	for len(b)%unix.NLA_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}
