// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"strings"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// hook is a bit for each hook of base chains.
type hook uint

const (
	prerouting hook = 1 << iota
	input
	forward
	output
	postrouting
	ingress
	egress
)

// String returns the hooks as nft names them.
func (h hook) String() string {
	var words []string
	for i, w := range [...]string{"prerouting", "input", "forward", "output", "postrouting", "ingress", "egress"} {
		if h&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}

// hookOf returns the hook of a base chain.
func hookOf(family uint8, n nftables.ChainHook) hook {
	switch {
	case family == unix.NFPROTO_NETDEV && n == unix.NF_NETDEV_INGRESS:
		return ingress
	case family == unix.NFPROTO_NETDEV:
		return egress
	case family == unix.NFPROTO_ARP && n == 0:
		return input
	case family == unix.NFPROTO_ARP:
		return output
	}
	return 1 << n // inet's ingress is the one behind postrouting
}

// at refuses a statement in a base chain of another type or at another hook
// than it needs; typ "" is any type. Of a chain that is no base chain only the
// kernel knows from where it is called.
func (b *builder) at(typ nftables.ChainType, where hook) error {
	c := b.chain
	if c.Hooknum == nil {
		return nil
	}
	have := hookOf(b.family, *c.Hooknum)
	if (typ == "" || c.Type == typ) && where&have != 0 {
		return nil
	}
	return fmt.Errorf("%w in chain %s (type %s, hook %s): it needs %s", dict.ErrInvalid, c.Name, c.Type, have, needs(typ, where))
}

func needs(typ nftables.ChainType, where hook) string {
	if typ == "" {
		return "a chain at " + where.String()
	}
	return fmt.Sprintf("a chain of type %s at %s", typ, where)
}
