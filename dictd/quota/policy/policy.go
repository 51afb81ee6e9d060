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
	var checks, charges []rule.Rule
	for _, phase := range []struct {
		name  string
		rules func(account, side) []rule.Rule
		to    *[]rule.Rule
	}{{"check", b.check, &checks}, {"charge", charge, &charges}} {
		for _, kind := range []plan.Kind{plan.User, plan.Device, plan.Host, plan.Group} {
			a := account{kind: kind}
			for _, p := range plans {
				if p.Has(kind) && !p.Own() {
					a.plans = append(a.plans, p)
				}
			}
			if len(a.plans) > 0 {
				*phase.to = append(*phase.to, b.families(phase.name, a, phase.rules)...)
			}
		}
		for _, p := range plans {
			if !p.Own() {
				continue
			}
			var calls []rule.Rule
			for _, kind := range []plan.Kind{plan.User, plan.Device, plan.Host, plan.Group} {
				if p.Has(kind) {
					calls = append(calls, b.families(phase.name, account{kind, []*plan.Plan{p}}, phase.rules)...)
				}
			}
			if !p.Of.Empty() {
				calls = b.pick(phase.name, p, calls)
			}
			*phase.to = append(*phase.to, calls...)
		}
	}
	b.chains = append(b.chains, rules.PolicyChain{
		Name: chainForward, Forward: true, Rules: slices.Concat(exempt(o.Exempt), checks, charges),
	})
	return &rules.Policy{Priority: o.Priority, Chains: b.chains}
}

// Names of chains, or how these begin. Names of plans have no dot.
const (
	chainForward = "quota.forward"
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
// rules that call them.
func (b *builder) families(phase string, a account, make func(account, side) []rule.Rule) (calls []rule.Rule) {
	for _, f := range families {
		var rs []rule.Rule
		for _, s := range f.sides {
			rs = append(rs, make(a, s)...)
		}
		if len(rs) == 0 {
			continue
		}
		name := a.chain(phase, f.name)
		b.add(name, rs...)
		calls = append(calls, rule.New(rule.NFProto().Is(f.proto), rule.Jump(name)))
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
