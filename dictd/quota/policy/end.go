// SPDX-License-Identifier: MIT

package policy

import (
	"strings"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
	"nftdict/nftext"
	"nftdict/nftext/rule"
)

// refuse are the rules that tell a sender that it is over.
func refuse() []rule.Rule {
	return []rule.Rule{
		rule.New(rule.L4Proto().Is(rule.TCP), rule.Reject(rule.TCPReset)), // an open connection heeds nothing else
		rule.New(rule.Reject(rule.AdminProhibited)),
	}
}

// end are the rules for packets of who has used up his budget.
func end(p *plan.Plan, o Options) (rs []rule.Rule) {
	for _, text := range kindsTerms(p.Except) {
		rs = append(rs, rule.New(rule.Dict(text), rule.Return()))
	}
	if !p.Except.Empty() && o.Packets > 0 {
		rs = append(rs, rule.New(rule.Dict("dict sessions ct id final missing"), rule.CtPackets().AtMost(o.Packets), rule.Return()))
	}
	switch p.Then {
	case plan.Block:
		return append(rs, rule.New(rule.Goto(chainRefuse)))
	case plan.Drop:
		return append(rs, rule.New(rule.Drop()))
	case plan.Throttle:
		// HTB finds the class by itself, with no filter.
		return append(rs, rule.New(rule.MetaMark().Set(p.Mark), rule.MetaPriority().Set(plan.ThrottleClass)))
	}
	return append(rs, rule.New(rule.MetaMark().Set(p.Mark)))
}

// kindsTerms returns conditions, one of which holds for packets of such traffic.
func kindsTerms(k plan.Kinds) []string {
	return append(among("dict sessions ct id application", k.Applications), among("dict sessions ct id application_category", k.Categories)...)
}

// among returns conditions, one of which holds where a field is among some values:
// as many as their length needs.
func among(field string, values []string) (terms []string) {
	const most = nftext.MaxText - 80 // leaves room for other spellings
	for len(values) > 0 {
		length, n := len(field), 0
		for n < len(values) && n < nftext.MaxItems {
			if length += len(dict.MustString(values[n]).Text()) + 2; length > most && n > 0 {
				break
			}
			n++
		}
		texts := make([]string, n)
		for i, v := range values[:n] {
			texts[i] = dict.MustString(v).Text()
		}
		if n == 1 {
			terms = append(terms, field+" "+texts[0])
		} else {
			terms = append(terms, field+" { "+strings.Join(texts, ", ")+" }")
		}
		values = values[n:]
	}
	return terms
}
