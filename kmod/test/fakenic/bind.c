// SPDX-License-Identifier: GPL-2.0-only
/* Which devices take rules, and the flowtables that bind them. */
#include <linux/err.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "fakenic.h"

/* The owner of the bindings, which has nothing to say. */
static int fakenic_owner;
static LIST_HEAD(fakenic_blocks);
/* The kernel offers bindings of before, and may have them of devices that are gone. */
static bool fakenic_ready;

/* fakenic_can() tells whether a device is claimed: it has no offload of its own. */
bool fakenic_can(const struct net_device *dev)
{
	return (dev->features & NETIF_F_HW_TC) && !dev->netdev_ops->ndo_setup_tc;
}

static void fakenic_release(void *cb_priv)
{
	struct fakenic_bind *bind = cb_priv;

	nf_unregister_net_hook(bind->net, &bind->hook);
	mutex_lock(&fakenic_mutex);
	list_del(&bind->list);
	fakenic_forget_rules(bind);
	mutex_unlock(&fakenic_mutex);
	dev_put(bind->dev);
	kfree_rcu(bind, rcu);
}

static int fakenic_bind(struct net_device *dev, struct Qdisc *sch, struct flow_block_offload *bo,
			void *data, void (*cleanup)(struct flow_block_cb *block_cb))
{
	struct flow_block_cb *block_cb;
	struct fakenic_bind *bind;
	int err;

	bind = kzalloc(sizeof(*bind), GFP_KERNEL);
	if (!bind)
		return -ENOMEM;
	bind->dev = dev;
	bind->net = dev_net(dev);
	hash_init(bind->by_key);
	hash_init(bind->by_cookie);
	bind->hook.hook = fakenic_forward;
	bind->hook.priv = bind;
	bind->hook.dev = dev;
	bind->hook.pf = NFPROTO_NETDEV;
	bind->hook.hooknum = NF_NETDEV_INGRESS;
	bind->hook.priority = INT_MIN;
	err = nf_register_net_hook(bind->net, &bind->hook);
	if (err)
		goto free;
	block_cb = flow_indr_block_cb_alloc(fakenic_setup_rule, dev, bind, fakenic_release, bo, dev,
					    sch, data, &fakenic_owner, cleanup);
	if (IS_ERR(block_cb)) {
		err = PTR_ERR(block_cb);
		goto unhook;
	}
	dev_hold(dev);
	mutex_lock(&fakenic_mutex);
	list_add_tail(&bind->list, &fakenic_pernet(bind->net)->binds);
	mutex_unlock(&fakenic_mutex);
	flow_block_cb_add(block_cb, bo);
	list_add_tail(&block_cb->driver_list, &fakenic_blocks);
	return 0;

unhook:
	nf_unregister_net_hook(bind->net, &bind->hook);
free:
	kfree_rcu(bind, rcu);
	return err;
}

static int fakenic_setup_block(struct net_device *dev, struct Qdisc *sch, void *cb_priv,
			       enum tc_setup_type type, void *type_data, void *data,
			       void (*cleanup)(struct flow_block_cb *block_cb))
{
	struct flow_block_offload *bo = type_data;
	struct flow_block_cb *block_cb;

	if (!READ_ONCE(fakenic_ready) || type != TC_SETUP_FT)
		return -EOPNOTSUPP;
	switch (bo->command) {
	case FLOW_BLOCK_BIND:
		if (!fakenic_can(dev))
			return -EOPNOTSUPP;
		bo->driver_block_list = &fakenic_blocks;
		return fakenic_bind(dev, sch, bo, data, cleanup);
	case FLOW_BLOCK_UNBIND:
		block_cb = flow_block_cb_lookup(bo->block, fakenic_setup_rule, dev);
		if (!block_cb)
			return -ENOENT;
		flow_indr_block_cb_remove(block_cb, bo);
		list_del(&block_cb->driver_list);
		return 0;
	}
	return -EOPNOTSUPP;
}

int fakenic_bind_init(void)
{
	int err = flow_indr_dev_register(fakenic_setup_block, &fakenic_owner);

	WRITE_ONCE(fakenic_ready, !err);
	return err;
}

void fakenic_bind_exit(void)
{
	struct net_device *dev;
	struct net *net;

	/* Takes back what is bound, rules in place or not. */
	flow_indr_dev_unregister(fakenic_setup_block, &fakenic_owner, fakenic_release);
	rtnl_lock();
	down_read(&net_rwsem);
	for_each_net(net) {
		for_each_netdev(net, dev) {
			if (!fakenic_can(dev))
				continue;
			dev->wanted_features &= ~NETIF_F_HW_TC;
			netdev_update_features(dev);
			dev->hw_features &= ~NETIF_F_HW_TC;
		}
	}
	up_read(&net_rwsem);
	rtnl_unlock();
}
