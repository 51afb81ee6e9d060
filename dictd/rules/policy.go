// SPDX-License-Identifier: MIT

package rules

import (
	"github.com/google/nftables"

	"nftdict/nftext/rule"
)

// Policy are chains of the daemon's table beside those that queue: what becomes
// of forwarded packets. It does not change; that of another Config is another.
type Policy struct {
	Priority int32         // of the chains that are at the hook
	Chains   []PolicyChain // each behind those that it calls
}

// PolicyChain is a chain of a Policy. Its rules may have dict terms.
type PolicyChain struct {
	Name    string
	Forward bool // it is at the hook forward; else others call it
	Rules   []rule.Rule
}

// chains returns the chains for the table.
func (p *Policy) chains() (chains []chain) {
	if p == nil {
		return nil
	}
	for _, c := range p.Chains {
		made := chain{name: c.Name, rules: c.Rules}
		if c.Forward {
			made.hook, made.priority = nftables.ChainHookForward, p.Priority
		}
		chains = append(chains, made)
	}
	return chains
}
