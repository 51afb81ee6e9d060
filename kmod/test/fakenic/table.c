// SPDX-License-Identifier: GPL-2.0-only
/* The rules of a device: put, told of, taken away by the flowtable. */
#include <linux/delay.h>
#include <linux/jhash.h>
#include <linux/slab.h>

#include "fakenic.h"

static u32 fakenic_hash_key(const struct fakenic_key *key)
{
	return jhash(key, sizeof(*key), 0);
}

static void fakenic_drop_rule(struct fakenic_bind *bind, struct fakenic_rule *rule)
{
	hash_del_rcu(&rule->by_key);
	hash_del(&rule->by_cookie);
	bind->rules--;
	kfree_rcu(rule, rcu);
}

/* fakenic_find() is called under RCU. */
struct fakenic_rule *fakenic_find(struct fakenic_bind *bind, const struct fakenic_key *key)
{
	struct fakenic_rule *rule;

	hash_for_each_possible_rcu(bind->by_key, rule, by_key, fakenic_hash_key(key))
		if (!memcmp(&rule->key, key, sizeof(*key)))
			return rule;
	return NULL;
}

static struct fakenic_rule *fakenic_find_cookie(struct fakenic_bind *bind, unsigned long cookie)
{
	struct fakenic_rule *rule;

	hash_for_each_possible(bind->by_cookie, rule, by_cookie, cookie)
		if (rule->cookie == cookie)
			return rule;
	return NULL;
}

void fakenic_forget_rules(struct fakenic_bind *bind)
{
	struct fakenic_rule *rule;
	struct hlist_node *next;
	int i;

	lockdep_assert_held(&fakenic_mutex);
	hash_for_each_safe(bind->by_cookie, i, next, rule, by_cookie)
		fakenic_drop_rule(bind, rule);
}

static int fakenic_replace(struct fakenic_bind *bind, struct flow_cls_offload *cls)
{
	struct fakenic_net *fn = fakenic_pernet(bind->net);
	struct fakenic_rule *rule, *old;
	int err;

	rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	if (!rule)
		return -ENOMEM;
	err = fakenic_parse_rule(rule, bind, flow_cls_offload_flow_rule(cls));
	if (err == -ENODEV)	/* for another device of the flowtable */
		goto free;
	if (!err && fn->refuse) {
		err = -EOPNOTSUPP;
		if (fn->refuse != UINT_MAX)
			fn->refuse--;
	}
	old = fakenic_find_cookie(bind, cls->cookie);
	if (!err && !old && bind->rules >= FAKENIC_RULES_MAX)
		err = -ENOSPC;
	if (err) {
		fn->refused++;
		goto free;
	}
	rule->cookie = cls->cookie;
	rule->used = jiffies;
	if (old) {	/* it goes on counting; what passes meanwhile is not told */
		atomic64_set(&rule->packets, atomic64_read(&old->packets));
		atomic64_set(&rule->bytes, atomic64_read(&old->bytes));
		rule->told_packets = old->told_packets;
		rule->told_bytes = old->told_bytes;
		rule->used = READ_ONCE(old->used);
		if (!memcmp(&old->key, &rule->key, sizeof(rule->key)) && old->out == rule->out &&
		    !memcmp(old->mangle, rule->mangle, sizeof(rule->mangle)))
			goto free;	/* what is there already */
		fakenic_drop_rule(bind, old);
	}
	fn->accepted++;
	bind->rules++;
	hash_add(bind->by_cookie, &rule->by_cookie, rule->cookie);
	hash_add_rcu(bind->by_key, &rule->by_key, fakenic_hash_key(&rule->key));
	return 0;

free:
	kfree(rule);
	return err;
}

static int fakenic_destroy(struct fakenic_bind *bind, struct flow_cls_offload *cls)
{
	struct fakenic_rule *rule = fakenic_find_cookie(bind, cls->cookie);

	if (!rule)
		return -ENOENT;
	fakenic_pernet(bind->net)->destroyed++;
	fakenic_drop_rule(bind, rule);
	return 0;
}

static int fakenic_stats(struct fakenic_bind *bind, struct flow_cls_offload *cls)
{
	struct fakenic_net *fn = fakenic_pernet(bind->net);
	struct fakenic_rule *rule = fakenic_find_cookie(bind, cls->cookie);
	u64 packets, bytes;

	if (!rule)
		return -ENOENT;
	fn->asked++;
	packets = atomic64_read(&rule->packets);
	bytes = atomic64_read(&rule->bytes);
	flow_stats_update(&cls->stats, fn->mute ? 0 : bytes - rule->told_bytes,
			  fn->mute ? 0 : packets - rule->told_packets, 0, READ_ONCE(rule->used),
			  FLOW_ACTION_HW_STATS_DELAYED);
	fn->told += bytes - rule->told_bytes;
	rule->told_packets = packets;
	rule->told_bytes = bytes;
	return 0;
}

/* fakenic_setup_rule() is called for each rule of a flowtable on each of its devices. */
int fakenic_setup_rule(enum tc_setup_type type, void *type_data, void *cb_priv)
{
	struct flow_cls_offload *cls = type_data;
	struct fakenic_bind *bind = cb_priv;
	int err = -EOPNOTSUPP;

	if (type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	if (cls->command == FLOW_CLS_REPLACE && READ_ONCE(fakenic_pernet(bind->net)->learn))
		msleep(READ_ONCE(fakenic_pernet(bind->net)->learn));
	mutex_lock(&fakenic_mutex);
	switch (cls->command) {
	case FLOW_CLS_REPLACE:
		err = fakenic_replace(bind, cls);
		break;
	case FLOW_CLS_DESTROY:
		err = fakenic_destroy(bind, cls);
		break;
	case FLOW_CLS_STATS:
		err = fakenic_stats(bind, cls);
		break;
	default:
		break;
	}
	mutex_unlock(&fakenic_mutex);
	return err;
}
