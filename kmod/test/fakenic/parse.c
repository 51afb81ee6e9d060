// SPDX-License-Identifier: GPL-2.0-only
/* What a rule of a flowtable says, and whether this card can do that. */
#include <linux/if_ether.h>
#include <linux/in.h>

#include "fakenic.h"

static const u64 fakenic_keys =
	BIT_ULL(FLOW_DISSECTOR_KEY_META) | BIT_ULL(FLOW_DISSECTOR_KEY_CONTROL) |
	BIT_ULL(FLOW_DISSECTOR_KEY_BASIC) | BIT_ULL(FLOW_DISSECTOR_KEY_IPV4_ADDRS) |
	BIT_ULL(FLOW_DISSECTOR_KEY_IPV6_ADDRS) | BIT_ULL(FLOW_DISSECTOR_KEY_PORTS) |
	BIT_ULL(FLOW_DISSECTOR_KEY_TCP) | BIT_ULL(FLOW_DISSECTOR_KEY_VLAN);

static int fakenic_parse_match(struct fakenic_key *key, const struct fakenic_bind *bind,
			       const struct flow_rule *from)
{
	struct flow_match_basic basic;
	struct flow_match_ports ports;
	struct flow_match_meta meta;
	struct flow_match_vlan vlan;

	if (!flow_rule_match_key(from, FLOW_DISSECTOR_KEY_META) ||
	    !flow_rule_match_key(from, FLOW_DISSECTOR_KEY_BASIC) ||
	    !flow_rule_match_key(from, FLOW_DISSECTOR_KEY_PORTS))
		return -EOPNOTSUPP;
	flow_rule_match_meta(from, &meta);
	if (meta.key->ingress_ifindex != bind->dev->ifindex)
		return -ENODEV;
	if (from->match.dissector->used_keys & ~fakenic_keys)
		return -EOPNOTSUPP;
	flow_rule_match_basic(from, &basic);
	key->protocol = basic.key->n_proto;
	key->l4proto = basic.key->ip_proto;
	if (key->l4proto != IPPROTO_TCP && key->l4proto != IPPROTO_UDP)
		return -EOPNOTSUPP;
	if (key->protocol == htons(ETH_P_IP)) {
		struct flow_match_ipv4_addrs addrs;

		flow_rule_match_ipv4_addrs(from, &addrs);
		key->src.s6_addr32[0] = addrs.key->src;
		key->dst.s6_addr32[0] = addrs.key->dst;
	} else {
		struct flow_match_ipv6_addrs addrs;

		flow_rule_match_ipv6_addrs(from, &addrs);
		key->src = addrs.key->src;
		key->dst = addrs.key->dst;
	}
	flow_rule_match_ports(from, &ports);
	key->sport = ports.key->src;
	key->dport = ports.key->dst;
	if (flow_rule_match_key(from, FLOW_DISSECTOR_KEY_VLAN)) {
		flow_rule_match_vlan(from, &vlan);
		key->tpid = vlan.key->vlan_tpid;
		key->vid = vlan.key->vlan_id;
	}
	return 0;
}

static int fakenic_parse_action(struct fakenic_rule *rule, const struct flow_action_entry *act)
{
	struct fakenic_mangle *m;

	switch (act->id) {
	case FLOW_ACTION_MANGLE:
		if (rule->mangles == FAKENIC_MANGLES_MAX || act->mangle.offset > 60)
			return -EOPNOTSUPP;
		m = &rule->mangle[rule->mangles++];
		m->htype = act->mangle.htype;
		m->offset = act->mangle.offset;
		m->mask = act->mangle.mask;
		m->val = act->mangle.val;
		return 0;
	case FLOW_ACTION_CSUM:	/* always right here */
		return 0;
	case FLOW_ACTION_REDIRECT:
		rule->out = act->dev->ifindex;
		return 0;
	case FLOW_ACTION_VLAN_POP:
		if (rule->pop)
			return -EOPNOTSUPP;
		rule->pop = true;
		return 0;
	case FLOW_ACTION_VLAN_PUSH:
		if (rule->push)
			return -EOPNOTSUPP;
		rule->push = true;
		rule->push_tpid = act->vlan.proto;
		rule->push_vid = act->vlan.vid;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/*
 * fakenic_parse_rule() fills a rule. The error is ENODEV where the rule is for
 * packets of another device, and EOPNOTSUPP for what the card cannot do.
 */
int fakenic_parse_rule(struct fakenic_rule *rule, const struct fakenic_bind *bind,
		       const struct flow_rule *from)
{
	const struct flow_action_entry *act;
	int i, err;

	err = fakenic_parse_match(&rule->key, bind, from);
	if (err)
		return err;
	flow_action_for_each(i, act, &from->action) {
		err = fakenic_parse_action(rule, act);
		if (err)
			return err;
	}
	return rule->out ? 0 : -EOPNOTSUPP;
}
