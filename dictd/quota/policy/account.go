// SPDX-License-Identifier: MIT

package policy

import (
	"slices"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
	"nftdict/dictd/rules"
	"nftdict/nftext/rule"
)

// side is an end of a packet's way.
type side struct {
	name string // of chains
	key  string // nft's words for the address
	pays plan.Direction
}

// family is packets that are told apart alike.
type family struct {
	name  string
	proto rule.Family
	any   bool // of both protocols
	sides []side
}

// families are the families of packets.
var families = []family{
	{name: "ip", proto: rule.IPv4, sides: []side{{"ip.from", "ip saddr", plan.Out}, {"ip.to", "ip daddr", plan.In}}},
	{name: "ip6", proto: rule.IPv6, sides: []side{{"ip6.from", "ip6 saddr", plan.Out}, {"ip6.to", "ip6 daddr", plan.In}}},
}

// frames are packets from an address of which nothing is known: the frame tells the
// device, which may have as many addresses as it likes.
var frames = []family{{name: "ether", any: true, sides: []side{{"ether.from", etherFrom, plan.Out}}}}

const etherFrom = "ether saddr"

// chain names a chain of the account.
func (a account) chain(phase, place string) string {
	name := "quota." + phase + "." + a.kind.Table() + "." + place
	if p := a.plans[0]; p.Own() {
		name += "." + p.Name
	}
	return name
}

// row is the beginning of terms about the row of the subject at one side.
func (a account) row(s side) string {
	if s.key == etherFrom {
		switch a.kind {
		case plan.Device:
			return "dict devices ether saddr "
		case plan.Group:
			return "dict groups dict users dict devices ether saddr username quota_group "
		}
		return "dict users dict devices ether saddr username "
	}
	switch a.kind {
	case plan.Device:
		return "dict devices dict hosts " + s.key + " mac_address "
	case plan.Host:
		return "dict hosts " + s.key + " "
	case plan.Group:
		return "dict groups dict users dict hosts " + s.key + " username quota_group "
	}
	return "dict users dict hosts " + s.key + " username "
}

// term is a dict term about a field of the subject's budget.
func (a account) term(s side, field, rest string) rule.Statement {
	return rule.Dict(a.row(s) + a.plans[0].Field(field) + " " + rest)
}

// check makes the rule that leads packets of who has used all up to the chain
// spent, and that chain.
func (b *builder) check(a account, s side) []rule.Rule {
	spent := a.chain("spent", s.name)
	end := b.end(a.plans[0], a, s)
	if !alike(a.plans) {
		var by []rule.Rule
		for _, p := range a.plans {
			by = append(by, rule.New(rule.Dict(a.row(s)+"quota_plan "+dict.MustString(p.Name).Text()), rule.Goto(b.end(p, a, s))))
		}
		end = a.chain("by", s.name)
		b.add(end, append(by, rule.New(rule.Goto(chainRefuse)))...) // rows of others
	}
	b.add(spent,
		rule.New(a.term(s, "exceeded", "true"), rule.Goto(end)), // what is written is not written again
		rule.New(a.term(s, "exceeded", "set true"), rule.Goto(end)))
	return []rule.Rule{rule.New(a.term(s, "remaining", "<= 0"), rule.Goto(spent))}
}

// alike reports whether all plans end in the same way.
func alike(plans []*plan.Plan) bool {
	return !slices.ContainsFunc(plans, func(p *plan.Plan) bool {
		o := plans[0]
		return p.Then != o.Then || p.Mark != o.Mark ||
			!slices.Equal(p.Except.Applications, o.Except.Applications) || !slices.Equal(p.Except.Categories, o.Except.Categories)
	})
}

// charge makes the rules that take a packet off the budget of the subject at one
// side. Where nothing is left nothing is taken: such packets were refused, or are
// excepted.
func charge(a account, s side) (rs []rule.Rule) {
	var paying []string
	for _, p := range a.plans {
		if p.Direction == plan.Both || p.Direction == s.pays {
			paying = append(paying, p.Name)
		}
	}
	pay := []rule.Statement{a.term(s, "remaining", "> 0")}
	if a.plans[0].Unit == plan.Seconds {
		pay = append(pay, a.term(s, "bytes", "add meta length"))
	} else {
		pay = append(pay, a.term(s, "remaining", "sub meta length"))
	}
	if len(paying) == len(a.plans) {
		return []rule.Rule{rule.New(pay...)}
	}
	for _, text := range rules.Among(a.row(s)+"quota_plan", paying) {
		rs = append(rs, rule.New(rule.Dict(text)).And(pay...))
	}
	return rs
}
