// SPDX-License-Identifier: MIT

package policy

import (
	"net/netip"
	"slices"

	"nftdict/dictd/quota/plan"
	"nftdict/dictd/rules"
	"nftdict/nftext/rule"
)

// Options of Build.
type Options struct {
	Priority int32          // of the chain at the hook
	Exempt   []netip.Prefix // what goes there and comes from there is free
	// Packets of a connection whose application is not known yet pass where a plan
	// excepts applications, as far as the budget's grace goes; else these would never
	// be known.
	Packets uint64
}

// account is a set of budgets that rules find by the same fields: the plans of a
// kind that share fields, or one plan that has its own.
type account struct {
	kind  plan.Kind
	plans []*plan.Plan
}

// Build returns the chains for some plans, nil if there are none.
func Build(plans []*plan.Plan, o Options) *rules.Policy {
	if len(plans) == 0 {
		return nil
	}
	b := &builder{packets: o.Packets}
	b.add(chainReset, reset()...)
	b.add(chainRefuse, refuse()...)
	for _, p := range plans {
		b.add(chainEnd+p.Name, end(p)...)
	}
	checks, charges := b.calls("check", plans, families, b.check), b.calls("charge", plans, families, charge)
	rs := slices.Concat(exempt(o.Exempt), checks)
	if unknown := slices.Concat(b.calls("unknown.check", plans, frames, b.check), b.calls("unknown.charge", plans, frames, charge)); len(unknown) > 0 {
		b.add(chainUnknown, unknown...)
		for _, f := range families {
			from := "dict hosts " + f.sides[0].key
			rs = append(rs, rule.New(rule.NFProto().Is(f.proto), rule.Dict(from+" mac_address missing"), rule.Dict(from+" username missing"), rule.Jump(chainUnknown)))
		}
	}
	b.chains = append(b.chains, rules.PolicyChain{Name: chainForward, Hook: rules.Forward, Rules: append(rs, charges...)})
	return &rules.Policy{Priority: o.Priority, Chains: b.chains}
}

// calls makes the chains of all accounts for a phase, and returns the rules that call
// them.
func (b *builder) calls(phase string, plans []*plan.Plan, families []family, make func(account, side) []rule.Rule) (calls []rule.Rule) {
	kinds := []plan.Kind{plan.User, plan.Device, plan.Host, plan.Group}
	for _, kind := range kinds {
		a := account{kind: kind}
		for _, p := range plans {
			if p.Has(kind) && !p.Own() {
				a.plans = append(a.plans, p)
			}
		}
		if len(a.plans) > 0 {
			calls = append(calls, b.families(phase, a, families, make)...)
		}
	}
	for _, p := range plans {
		if !p.Own() {
			continue
		}
		var own []rule.Rule
		for _, kind := range kinds {
			if p.Has(kind) {
				own = append(own, b.families(phase, account{kind, []*plan.Plan{p}}, families, make)...)
			}
		}
		if !p.Of.Empty() {
			own = b.pick(phase, p, own)
		}
		calls = append(calls, own...)
	}
	return calls
}

// Names of chains, or how these begin. Names of plans have no dot.
const (
	chainForward = "quota.forward"
	chainUnknown = "quota.unknown"
	chainRefuse  = "quota.refuse"
	chainReset   = "quota.reset"
	chainEnd     = "quota.end."
)

// builder collects chains.
type builder struct {
	chains  []rules.PolicyChain
	packets uint64 // as of Options
}

func (b *builder) add(name string, rs ...rule.Rule) {
	b.chains = append(b.chains, rules.PolicyChain{Name: name, Rules: rs})
}

// families makes the chains of an account, one for each family, and returns the
// rules that call them. An address that nobody knows is no host with a budget.
func (b *builder) families(phase string, a account, families []family, make func(account, side) []rule.Rule) (calls []rule.Rule) {
	for _, f := range families {
		if f.any && a.kind == plan.Host {
			continue
		}
		var rs []rule.Rule
		for _, s := range f.sides {
			rs = append(rs, make(a, s)...)
		}
		if len(rs) == 0 {
			continue
		}
		name := a.chain(phase, f.name)
		b.add(name, rs...)
		call := rule.New(rule.Jump(name))
		if !f.any {
			call = rule.New(rule.NFProto().Is(f.proto), rule.Jump(name))
		}
		calls = append(calls, call)
	}
	return calls
}

// pick makes the chains that make some calls for packets of a plan's kinds alone,
// and returns the rule that calls them.
func (b *builder) pick(phase string, p *plan.Plan, calls []rule.Rule) []rule.Rule {
	if len(calls) == 0 {
		return nil
	}
	all, some := "quota."+phase+"."+p.Name, "quota."+phase+".some."+p.Name
	b.add(all, calls...)
	var rs []rule.Rule
	for _, text := range kindsTerms(p.Of) {
		// By goto: who is of two kinds is not charged twice.
		rs = append(rs, rule.New(rule.Dict(text), rule.Goto(all)))
	}
	b.add(some, rs...)
	return []rule.Rule{rule.New(rule.Jump(some))}
}

// exempt are the rules that let prefixes go free.
func exempt(prefixes []netip.Prefix) (rs []rule.Rule) {
	for _, is6 := range []bool{false, true} {
		var of []netip.Prefix
		for _, p := range prefixes {
			if p.Addr().Is6() == is6 {
				of = append(of, p.Masked())
			}
		}
		if len(of) > 0 {
			rs = append(rs, rule.New(rule.From(of...), rule.Return()), rule.New(rule.To(of...), rule.Return()))
		}
	}
	return rs
}
