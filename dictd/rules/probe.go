// SPDX-License-Identifier: MIT

package rules

import (
	"errors"
	"fmt"
	"os"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// missingChain is a chain that no table has: a rule in it ends a transaction.
const missingChain = "none"

// probe finds out what the kernel can do by transactions that fail for certain
// at their last message: what it says of the others is the answer.
func probe(conn *netlink.Conn) (kernel, error) {
	try := func(flags uint32, exprs ...[]expr.Any) (bool, error) {
		name := fmt.Sprintf("dictd_probe_%d", os.Getpid())
		b := newBatch(family)
		b.table(name, flags)
		b.chain(name, chain{name: "c"})
		if len(exprs) > 0 {
			b.rule(name, "c", newRule("", exprs...))
		}
		sure := len(b.what)
		// A rule for a chain that does not exist.
		b.rule(name, missingChain, newRule(""))
		err := b.commit(conn)
		var refusals refusals
		if !errors.As(err, &refusals) {
			if err == nil {
				err = errors.New("a transaction that cannot succeed did")
			}
			return false, err
		}
		for _, r := range refusals {
			if r.index == 0 {
				return false, r
			}
			if r.index < sure {
				return false, nil
			}
		}
		return true, nil
	}
	var k kernel
	for _, p := range []struct {
		to    *bool
		flags uint32
		exprs [][]expr.Any
	}{
		{&k.nftQueue, 0, [][]expr.Any{nftQueue(0, 1, true, true)}},
		{&k.xtQueue, 0, [][]expr.Any{xtNFQUEUE(0, 1, true, true)}},
		{&k.owner, flagOwner | flagPersist, nil},
	} {
		ok, err := try(p.flags, p.exprs...)
		if err != nil {
			return kernel{}, err
		}
		*p.to = ok
	}
	if !k.nftQueue && !k.xtQueue {
		return kernel{}, fmt.Errorf("no way to queue packets: %w: needs CONFIG_NFT_QUEUE, or CONFIG_NETFILTER_XT_TARGET_NFQUEUE with CONFIG_NFT_COMPAT", unix.EOPNOTSUPP)
	}
	return k, nil
}
