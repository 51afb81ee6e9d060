// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flowtables, and how connections are taken back out of them.
 *
 * A rule with the expression that also has `flow add @f` makes f known here, as
 * long as the rule lives. The rule's own `flow add` keeps the flowtable from
 * being deleted; and where both go at once, nf_tables destroys rules, which takes
 * them out of the list, before the flowtables that they used.
 */
#include <linux/bsearch.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_flow_table.h>
#include <net/netfilter/nf_tables.h>

#include "compat.h"
#include "flow.h"
#include "nft_dict.h"

/* After how many entries who walks along a flowtable rests. */
#define NFT_DICT_FLOW_STEPS	1024

/* Of how many connections it is cheaper to walk along a flowtable than to look each
 * up.
 */
#define NFT_DICT_FLOW_MANY	64

/**
 * struct nft_dict_flowtable - a flowtable that rules use
 * @list: of its namespace
 * @table: the flowtable
 * @users: how many expressions of rules
 */
struct nft_dict_flowtable {
	struct list_head	list;
	struct nft_flowtable	*table;
	unsigned int		users;
};

/* What nf_flow_table offers. It is there as long as a flowtable is, and the module
 * does without it where there is none.
 */
struct nft_dict_flow_ops {
	struct flow_offload_tuple_rhash *(*lookup)(struct nf_flowtable *flow_table,
						   struct flow_offload_tuple *tuple);
	void (*teardown)(struct flow_offload *flow);
};

static bool nft_dict_flow_ops_get(struct nft_dict_flow_ops *ops)
{
	ops->lookup = symbol_get(flow_offload_lookup);
	ops->teardown = symbol_get(flow_offload_teardown);
	if (ops->lookup && ops->teardown)
		return true;
	if (ops->lookup)
		symbol_put(flow_offload_lookup);
	if (ops->teardown)
		symbol_put(flow_offload_teardown);
	return false;
}

static void nft_dict_flow_ops_put(void)
{
	symbol_put(flow_offload_lookup);
	symbol_put(flow_offload_teardown);
}

static const struct nla_policy nft_dict_rule_expr_policy[NFTA_EXPR_MAX + 1] = {
	[NFTA_EXPR_NAME] = { .type = NLA_NUL_STRING },
	[NFTA_EXPR_DATA] = { .type = NLA_NESTED },
};

static const struct nla_policy nft_dict_rule_flow_policy[NFTA_FLOW_MAX + 1] = {
	[NFTA_FLOW_TABLE_NAME] = { .type = NLA_STRING, .len = NFT_NAME_MAXLEN - 1 },
};

/* The flowtable that the rule sends connections to of which @ctx loads an
 * expression. A second one would not be asked: either the first takes the
 * connection, which then is in the second no more, or the rule ends.
 */
static struct nft_flowtable *nft_dict_rule_flowtable(const struct nft_ctx *ctx)
{
	const struct nlattr *rule, *elem;
	int rem;

	/* Expressions are also read for sets, which have no chain. */
	if (!ctx->chain || !ctx->nla)
		return NULL;
	rule = ctx->nla[NFTA_RULE_EXPRESSIONS];
	if (!rule)
		return NULL;
	nla_for_each_nested(elem, rule, rem) {
		struct nlattr *tb[NFTA_EXPR_MAX + 1], *flow[NFTA_FLOW_MAX + 1];
		struct nft_flowtable *table;

		if (nla_parse_nested_deprecated(tb, NFTA_EXPR_MAX, elem,
						nft_dict_rule_expr_policy, NULL) ||
		    !tb[NFTA_EXPR_NAME] || !tb[NFTA_EXPR_DATA] ||
		    nla_strcmp(tb[NFTA_EXPR_NAME], "flow_offload"))
			continue;
		if (nla_parse_nested_deprecated(flow, NFTA_FLOW_MAX, tb[NFTA_EXPR_DATA],
						nft_dict_rule_flow_policy, NULL) ||
		    !flow[NFTA_FLOW_TABLE_NAME])
			return NULL;
		table = nft_dict_flowtable_lookup(ctx, flow[NFTA_FLOW_TABLE_NAME]);
		return IS_ERR(table) ? NULL : table; /* `flow add` tells */
	}
	return NULL;
}

/* nft_dict_flowtable_get - make the flowtable known that the rule uses of which
 * @ctx loads an expression: NULL if it uses none.
 */
struct nft_dict_flowtable *nft_dict_flowtable_get(const struct nft_ctx *ctx)
{
	struct nft_dict_net *dn = nft_dict_pernet(ctx->net);
	struct nft_flowtable *table = nft_dict_rule_flowtable(ctx);
	struct nft_dict_flowtable *f;

	if (!table)
		return NULL;
	mutex_lock(&dn->flow_mutex);
	list_for_each_entry(f, &dn->flowtables, list) {
		if (f->table == table) {
			f->users++;
			goto out;
		}
	}
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f) {
		f = ERR_PTR(-ENOMEM);
		goto out;
	}
	f->table = table;
	f->users = 1;
	list_add_tail(&f->list, &dn->flowtables);
out:
	mutex_unlock(&dn->flow_mutex);
	return f;
}

/* nft_dict_flowtable_put - the expression goes; @f may be NULL. */
void nft_dict_flowtable_put(const struct nft_ctx *ctx, struct nft_dict_flowtable *f)
{
	struct nft_dict_net *dn = nft_dict_pernet(ctx->net);

	if (!f)
		return;
	mutex_lock(&dn->flow_mutex);
	if (!--f->users) {
		list_del(&f->list);
		kfree(f);
	}
	mutex_unlock(&dn->flow_mutex);
}

/* Take a flow out: it passes by the rules from its next packet on, for which its
 * entry has to be there; what is left of the life of one that was torn down is meant
 * for those that have been idle. What a card carries, the flowtable's collector takes
 * away: at once.
 */
static void nft_dict_flow_end(const struct nft_dict_flow_ops *ops, struct nft_dict_flowtable *f,
			      struct flow_offload *flow)
{
	bool hardware = test_bit(NF_FLOW_HW, &flow->flags);
	struct nf_conn *ct = flow->ct;

	ops->teardown(flow);
	if (nf_flow_timeout_delta(READ_ONCE(ct->timeout)) < (s32)NF_FLOW_TIMEOUT)
		WRITE_ONCE(ct->timeout, nfct_time_stamp + NF_FLOW_TIMEOUT);
	if (hardware)
		mod_delayed_work(system_power_efficient_wq, &f->table->data.gc_work, 0);
}

/* The original direction of a connection, as a flowtable knows it but for the
 * device.
 */
static bool nft_dict_flow_tuple(struct flow_offload_tuple *to, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *t = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;

	memset(to, 0, sizeof(*to));
	switch (t->src.l3num) {
	case NFPROTO_IPV4:
		to->src_v4 = t->src.u3.in;
		to->dst_v4 = t->dst.u3.in;
		break;
	case NFPROTO_IPV6:
		to->src_v6 = t->src.u3.in6;
		to->dst_v6 = t->dst.u3.in6;
		break;
	default:
		return false;
	}
	to->l3proto = t->src.l3num;
	to->l4proto = t->dst.protonum;
	if (to->l4proto == IPPROTO_TCP || to->l4proto == IPPROTO_UDP) {
		to->src_port = t->src.u.tcp.port;
		to->dst_port = t->dst.u.tcp.port;
	}
	return true;
}

/* Look a connection up, by each device that it may come from. Those that come in
 * a VLAN are not found this way.
 */
static bool nft_dict_flow_seek(struct nft_dict_net *dn, const struct nft_dict_flow_ops *ops,
			       const struct nf_conn *ct)
{
	struct flow_offload_tuple_rhash *hash;
	struct nft_dict_flowtable *f;
	struct flow_offload_tuple t;
	struct flow_offload *flow;
	struct net_device *dev;
	bool found = false;

	if (!nft_dict_flow_tuple(&t, ct))
		return false;
	rcu_read_lock();
	for_each_netdev_rcu(dn->net, dev) {
		t.iifidx = dev->ifindex;
		list_for_each_entry(f, &dn->flowtables, list) {
			hash = ops->lookup(&f->table->data, &t);
			if (!hash)
				continue;
			flow = container_of(hash, struct flow_offload, tuplehash[hash->tuple.dir]);
			if (flow->ct != ct)
				continue;
			nft_dict_flow_end(ops, f, flow);
			found = true;
			goto out;
		}
	}
out:
	rcu_read_unlock();
	return found;
}

/* nft_dict_recall_cmp - the order of ids, for sort and bsearch. */
int nft_dict_recall_cmp(const void *a, const void *b)
{
	u32 x = ((const struct nft_dict_recall *)a)->id;
	u32 y = ((const struct nft_dict_recall *)b)->id;

	return x < y ? -1 : x > y;
}

/* Walk along a flowtable for the connections that are left. */
static unsigned int nft_dict_flow_walk(const struct nft_dict_flow_ops *ops,
				       struct nft_dict_flowtable *f, struct nft_dict_recall *r,
				       unsigned int n)
{
	struct flow_offload_tuple_rhash *hash;
	unsigned int count = 0, steps = 0;
	struct rhashtable_iter iter;

	rhashtable_walk_enter(&f->table->data.rhashtable, &iter);
	rhashtable_walk_start(&iter);
	for (;;) {
		struct nft_dict_recall *found, key;
		struct flow_offload *flow;

		if (++steps % NFT_DICT_FLOW_STEPS == 0) {
			rhashtable_walk_stop(&iter);
			cond_resched();
			rhashtable_walk_start(&iter);
		}
		hash = rhashtable_walk_next(&iter);
		if (!hash)
			break;
		if (IS_ERR(hash)) {
			if (PTR_ERR(hash) != -EAGAIN)
				break;
			continue;
		}
		if (hash->tuple.dir != FLOW_OFFLOAD_DIR_ORIGINAL)
			continue;
		flow = container_of(hash, struct flow_offload, tuplehash[0]);
		if (test_bit(NF_FLOW_TEARDOWN, &flow->flags))
			continue;
		key.id = nft_dict_ct_id(flow->ct);
		found = bsearch(&key, r, n, sizeof(key), nft_dict_recall_cmp);
		if (!found)
			continue;
		nft_dict_flow_end(ops, f, flow);
		count += !found->done;
		found->done = true;
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return count;
}

/* nft_dict_flows_known - whether rules of a namespace use flowtables. */
bool nft_dict_flows_known(const struct nft_dict_net *dn)
{
	return !list_empty_careful(&dn->flowtables);
}

/* nft_dict_flows_recall - take connections out of the flowtables that are known
 * in a namespace; returns how many were in one. @r is in the order of ids, of
 * which there are no two equal.
 */
unsigned int nft_dict_flows_recall(struct nft_dict_net *dn, struct nft_dict_recall *r,
				   unsigned int n)
{
	struct nft_dict_flow_ops ops;
	struct nft_dict_flowtable *f;
	unsigned int i, count = 0;
	bool left = false;

	mutex_lock(&dn->flow_mutex);
	if (list_empty(&dn->flowtables) || !nft_dict_flow_ops_get(&ops))
		goto out;
	for (i = 0; i < n; i++) {
		if (n < NFT_DICT_FLOW_MANY && r[i].ct && !r[i].done &&
		    nft_dict_flow_seek(dn, &ops, r[i].ct)) {
			r[i].done = true;
			count++;
		}
		left |= !r[i].done;
		cond_resched();
	}
	if (left)
		list_for_each_entry(f, &dn->flowtables, list)
			count += nft_dict_flow_walk(&ops, f, r, n);
	nft_dict_flow_ops_put();
out:
	mutex_unlock(&dn->flow_mutex);
	return count;
}
