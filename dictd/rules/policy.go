// SPDX-License-Identifier: MIT

package rules

import (
	"github.com/google/nftables"

	"nftdict/nftext/rule"
)

// Policy are chains of the daemon's table beside those that queue: what becomes
// of packets. It does not change; that of another Config is another.
type Policy struct {
	Priority int32         // of the chains at Forward and Input
	Chains   []PolicyChain // each behind those that it calls
}

// PolicyChain is a chain of a Policy. Its rules may have dict terms. Names of chains
// are of all policies of a Config.
type PolicyChain struct {
	Name  string
	Hook  Hook
	Rules []rule.Rule
}

// Hook is where a PolicyChain sees packets.
type Hook uint8

// The hooks.
const (
	Called   Hook = iota // nowhere: other chains call it
	Forward              // all that is forwarded
	Input                // all that is for this machine
	Redirect             // first packets of connections, at prerouting: may say where these go
)

// chains returns the chains for the table.
func (p *Policy) chains() (chains []chain) {
	if p == nil {
		return nil
	}
	for _, c := range p.Chains {
		made := chain{name: c.Name, rules: c.Rules, priority: p.Priority}
		switch c.Hook {
		case Forward:
			made.hook = nftables.ChainHookForward
		case Input:
			made.hook = nftables.ChainHookInput
		case Redirect:
			made.hook, made.nat, made.priority = nftables.ChainHookPrerouting, true, int32(*nftables.ChainPriorityNATDest)
		}
		chains = append(chains, made)
	}
	return chains
}
