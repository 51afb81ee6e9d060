// SPDX-License-Identifier: MIT

package policy

import (
	"nftdict/dictd/quota/plan"
	"nftdict/dictd/rules"
	"nftdict/nftext/rule"
)

// young is how many bytes a connection has moved, both ways, that is refused: one that
// has moved more is a transfer under way.
const young = 64 << 10

// reset are the rules that tell a sender that it is over.
func reset() []rule.Rule {
	return []rule.Rule{
		rule.New(rule.L4Proto().Is(rule.TCP), rule.Reject(rule.TCPReset)), // an open connection heeds nothing else
		rule.New(rule.Reject(rule.AdminProhibited)),
	}
}

// refuse are the rules that do so, but for transfers under way: these wait, as long as
// their ends have patience, for somebody to top the budget up. Where conntrack counts
// nothing all are young.
func refuse() []rule.Rule {
	return []rule.Rule{
		rule.New(rule.CtBytes().Above(young), rule.Drop()),
		rule.New(rule.Goto(chainReset)),
	}
}

// end are the rules for packets of who has used up his budget, of which nothing is
// excepted.
func end(p *plan.Plan) []rule.Rule {
	switch p.Then {
	case plan.Block:
		return []rule.Rule{rule.New(rule.Goto(chainRefuse))}
	case plan.Reset:
		return []rule.Rule{rule.New(rule.Goto(chainReset))}
	case plan.Drop:
		return []rule.Rule{rule.New(rule.Drop())}
	case plan.Throttle:
		// HTB finds the class by itself, with no filter.
		return []rule.Rule{rule.New(rule.MetaMark().Set(p.Mark), rule.MetaPriority().Set(plan.ThrottleClass))}
	}
	return []rule.Rule{rule.New(rule.MetaMark().Set(p.Mark))}
}

// end returns the chain for packets of a subject at one side that has used up his
// budget of a plan. What is excepted returns from it, and so does, within the grace of
// the budget, what may turn out to be: who opens ever new connections gets no further
// by it than that.
func (b *builder) end(p *plan.Plan, a account, s side) string {
	if p.Except.Empty() {
		return chainEnd + p.Name
	}
	name := a.chain("end", s.name)
	if !p.Own() {
		name += "." + p.Name
	}
	var rs []rule.Rule
	for _, text := range kindsTerms(p.Except) {
		rs = append(rs, rule.New(rule.Dict(text), rule.Return()))
	}
	if b.packets > 0 {
		unknown := rule.New(rule.Dict("dict sessions ct id final missing"), rule.CtPackets().AtMost(b.packets))
		rs = append(rs, unknown.And(a.term(s, "grace", "> 0"), a.term(s, "grace", "sub meta length"), rule.Return()))
		if p.Mark == 0 {
			// Not rejected: what is excepted tries again, and finds more grace.
			rs = append(rs, unknown.And(rule.Drop()))
		}
	}
	b.add(name, append(rs, rule.New(rule.Goto(chainEnd+p.Name)))...)
	return name
}

// kindsTerms returns conditions, one of which holds for packets of such traffic.
func kindsTerms(k plan.Kinds) []string {
	return append(rules.Among("dict sessions ct id application", k.Applications), rules.Among("dict sessions ct id application_category", k.Categories)...)
}
