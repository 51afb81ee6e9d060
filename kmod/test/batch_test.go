// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

const nfHeader = 4

// ruleset speaks to nf_tables.
type ruleset struct {
	*socket
	family byte
}

func newRuleset(tb testing.TB, family byte) *ruleset {
	return &ruleset{newSocket(tb, unix.NETLINK_NETFILTER), family}
}

func (r *ruleset) message(typ, flags uint16, attrs ...[]byte) message {
	return message{typ: unix.NFNL_SUBSYS_NFTABLES<<8 | typ, flags: flags, data: append([]byte{r.family, 0, 0, 0}, cat(attrs...)...)}
}

// rule adds a rule.
func (r *ruleset) rule(chain string, exprs ...[]byte) message {
	return r.message(unix.NFT_MSG_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_APPEND, text(unix.NFTA_RULE_TABLE, "t"), text(unix.NFTA_RULE_CHAIN, chain),
		nest(unix.NFTA_RULE_EXPRESSIONS, exprs...))
}

// without deletes a rule, or with handle 0 all of a chain.
func (r *ruleset) without(chain string, handle uint64) message {
	attrs := cat(text(unix.NFTA_RULE_TABLE, "t"), text(unix.NFTA_RULE_CHAIN, chain))
	if handle != 0 {
		attrs = append(attrs, attr(unix.NFTA_RULE_HANDLE, binary.BigEndian.AppendUint64(nil, handle))...)
	}
	return r.message(unix.NFT_MSG_DELRULE, 0, attrs)
}

// failing is a message that no kernel takes.
func (r *ruleset) failing() message {
	return r.message(unix.NFT_MSG_DELTABLE, 0, text(unix.NFTA_TABLE_NAME, "there is none"))
}

// batch sends a transaction, and returns the error of its first message that
// was refused.
func (r *ruleset) batch(messages ...message) error {
	errs, err := r.results(messages...)
	for _, e := range errs {
		if err == nil {
			err = e
		}
	}
	return err
}

// results sends a transaction, and returns what became of each message: all are
// looked at, though one that is refused undoes all. err is what the transaction
// as a whole met.
func (r *ruleset) results(messages ...message) (errs []error, err error) {
	end := func(t uint16) message { return message{typ: t, data: []byte{0, 0, 0, unix.NFNL_SUBSYS_NFTABLES}} }
	list := []message{end(unix.NFNL_MSG_BATCH_BEGIN)}
	for _, m := range messages {
		m.flags |= unix.NLM_F_ACK
		list = append(list, m)
	}
	first, err := r.send(append(list, end(unix.NFNL_MSG_BATCH_END))...)
	if err != nil {
		return nil, err
	}
	errs = make([]error, len(messages))
	for left, flags := len(messages), 0; ; {
		answers, failed := r.receive(flags)
		if errors.Is(failed, unix.EAGAIN) && flags != 0 {
			return errs, err
		}
		if failed != nil {
			return errs, failed
		}
		for _, m := range answers {
			if m.seq < first || m.typ != unix.NLMSG_ERROR {
				continue
			}
			if i := int(m.seq-first) - 1; i >= 0 && i < len(errs) {
				errs[i] = m.result(nfHeader)
				left--
			} else if e := m.result(nfHeader); e != nil {
				err, left = e, 0
			}
		}
		if left <= 0 {
			flags = unix.MSG_DONTWAIT
		}
	}
}

// loaded is a rule as the kernel tells it.
type loaded struct {
	handle  uint64
	packets uint64 // of its last counter
	dicts   [][]byte
}

// list returns the rules of a chain.
func (r *ruleset) list(tb testing.TB, chain string) (out []loaded) {
	tb.Helper()
	m := r.message(unix.NFT_MSG_GETRULE, unix.NLM_F_DUMP, text(unix.NFTA_RULE_TABLE, "t"), text(unix.NFTA_RULE_CHAIN, chain))
	answers, err := r.exchange(m, nfHeader)
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range answers {
		if m.typ == unix.NLMSG_DONE {
			continue
		}
		var l loaded
		for _, p := range split(tb, m.data[nfHeader:]) {
			switch p.typ {
			case unix.NFTA_RULE_HANDLE:
				l.handle = binary.BigEndian.Uint64(p.data)
			case unix.NFTA_RULE_EXPRESSIONS:
				for _, e := range split(tb, p.data) {
					name, _ := find(tb, e.data, unix.NFTA_EXPR_NAME)
					data, _ := find(tb, e.data, unix.NFTA_EXPR_DATA)
					switch name.text() {
					case "dict":
						l.dicts = append(l.dicts, data.data)
					case "counter":
						if n, ok := find(tb, data.data, unix.NFTA_COUNTER_PACKETS); ok {
							l.packets = binary.BigEndian.Uint64(n.data)
						}
					}
				}
			}
		}
		out = append(out, l)
	}
	return out
}

// dictExpr returns the expression with these attributes.
func dictExpr(attrs ...[]byte) []byte {
	return nest(unix.NFTA_LIST_ELEM, text(unix.NFTA_EXPR_NAME, "dict"), nest(unix.NFTA_EXPR_DATA, attrs...))
}

// stock returns expressions of nft's own.
func stock(tb testing.TB, family byte, list ...expr.Any) (out []byte) {
	tb.Helper()
	for _, e := range list {
		b, err := expr.Marshal(family, e)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, nest(unix.NFTA_LIST_ELEM, b)...)
	}
	return out
}

// nft has stock nft do something in the namespace of the calling thread.
func nft(tb testing.TB, script string) {
	tb.Helper()
	cmd := exec.Command(need.Program(tb, "nft"), "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("nft: %v\n%s\n%s", err, out, script)
	}
}
