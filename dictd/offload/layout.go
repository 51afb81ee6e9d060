// SPDX-License-Identifier: MIT

package offload

import (
	"maps"
	"slices"

	"nftdict/dict"
	"nftdict/dictd/rules"
	"nftdict/nftext/rule"
)

// Names in the table.
const (
	Flowtable    = "fast"
	chainForward = "forward"
	chainSettled = "settled"
)

// FieldKeep is the field that keeps a row's subject on the slow path.
const FieldKeep = "no_offload"

// settled is the term for a session of which nothing more is to be found out.
const settled = "dict sessions ct id final true"

// TableName returns the name of the table that stands beside the daemon's own.
func TableName(own string) string { return own + "_offload" }

// layout returns the chains: what may not be carried returns, what is left goes into
// the flowtable. has tells which fields there are.
func layout(c *Config, hardware bool, has func(table, field string) bool) *rules.Policy {
	begin := []rule.Rule{rule.New(rule.CtState().None(rule.StateEstablished), rule.Return())}
	if has(dict.Sessions, FieldKeep) {
		// Conntrack does not believe a reset that it has not seen coming, and ignores who
		// asks anew: as something else it would go on in the flowtable, unseen.
		begin = append(begin, rule.New(rule.TCPFlags().Masked(rule.SYN|rule.RST).Not(0), rule.Dict(settled),
			rule.Dict("dict sessions ct id "+FieldKeep+" set true"), rule.Return()))
	}
	begin = append(begin,
		// The kernel puts none into a flowtable by its end; most of what still comes here is that.
		rule.New(rule.TCPFlags().Masked(rule.FIN).Not(0), rule.Return()),
		// Final comes before all is seen: a certificate, what the server chose.
		rule.New(rule.Dict(settled), rule.Dict("dict sessions ct id bypass_packetd true"), rule.Goto(chainSettled)),
	)
	var keep []rule.Rule
	for _, m := range c.Keep.Marks {
		for _, mark := range []rule.Writable[uint32]{rule.MetaMark(), rule.CtMark()} {
			is := mark.Is(m.Value)
			if m.Mask != 1<<32-1 {
				is = mark.Masked(m.Mask).Is(m.Value)
			}
			keep = append(keep, rule.New(is, rule.Return()))
		}
	}
	unless := func(terms ...string) {
		for _, text := range terms {
			keep = append(keep, rule.New(rule.Dict(text), rule.Return()))
		}
	}
	unless(rules.Among("dict sessions ct id application", c.Keep.Applications)...)
	unless(rules.Among("dict sessions ct id application_category", c.Keep.Categories)...)
	if has(dict.Sessions, FieldKeep) {
		unless("dict sessions ct id " + FieldKeep + " true")
	}
	for _, f := range families {
		for _, text := range f.terms(c, hardware, has) {
			keep = append(keep, rule.New(rule.NFProto().Is(f.proto), rule.Dict(text), rule.Return()))
		}
		if len(c.Metered) > 0 {
			keep = append(keep, f.strangers())
		}
	}
	keep = append(keep, rule.New(rule.Dict(settled), rule.Offload(Flowtable)))
	return &rules.Policy{Priority: c.Priority, Chains: []rules.PolicyChain{
		{Name: chainSettled, Rules: keep},
		{Name: chainForward, Hook: rules.Forward, Rules: begin},
	}}
}

// family is one of packets.
type family struct {
	proto rule.Family
	sides [2]string // nft's words for the addresses
}

var families = [...]family{
	{rule.IPv4, [2]string{"ip saddr", "ip daddr"}},
	{rule.IPv6, [2]string{"ip6 saddr", "ip6 daddr"}},
}

// row is the beginning of terms about the row of a table that is the subject's at one
// side.
func row(table, side string) string {
	switch table {
	case dict.Devices:
		return "dict devices dict hosts " + side + " mac_address "
	case dict.Users:
		return "dict users dict hosts " + side + " username "
	case dict.Groups:
		return "dict groups dict users dict hosts " + side + " username quota_group "
	}
	return "dict hosts " + side + " "
}

// strangers is the rule that keeps connections of which nobody is known at either end:
// rules find their budget by the frame, if there is one, and what a flowtable has
// carried could be charged to nobody.
func (f *family) strangers() rule.Rule {
	r := rule.New(rule.NFProto().Is(f.proto))
	for _, side := range f.sides {
		r = r.And(rule.Dict("dict hosts "+side+" mac_address missing"), rule.Dict("dict hosts "+side+" username missing"))
	}
	return r.And(rule.Return())
}

// terms returns conditions for which packets are kept by who has their addresses.
func (f *family) terms(c *Config, hardware bool, has func(table, field string) bool) (terms []string) {
	for _, side := range f.sides {
		terms = append(terms, rules.Among("dict hosts "+side+" username", c.Keep.Users)...)
		for _, table := range []string{dict.Hosts, dict.Devices, dict.Users, dict.Groups} {
			if has(table, FieldKeep) {
				terms = append(terms, row(table, side)+FieldKeep+" true")
			}
		}
		if !hardware || c.Counts {
			continue
		}
		for _, table := range slices.Sorted(maps.Keys(c.Metered)) {
			for _, field := range c.Metered[table] {
				terms = append(terms, row(table, side)+field+" exists")
			}
		}
	}
	return terms
}
