// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <net/netns/generic.h>

#include "fakenic.h"

static unsigned int fakenic_net_id;

/* Guards what fakenic.h says. */
DEFINE_MUTEX(fakenic_mutex);

struct fakenic_net *fakenic_pernet(const struct net *net)
{
	return net_generic(net, fakenic_net_id);
}

static int __net_init fakenic_net_init(struct net *net)
{
	INIT_LIST_HEAD(&fakenic_pernet(net)->binds);
	return fakenic_proc_init(net);
}

static void __net_exit fakenic_net_exit(struct net *net)
{
	fakenic_proc_exit(net);
}

static struct pernet_operations fakenic_net_ops = {
	.init = fakenic_net_init,
	.exit = fakenic_net_exit,
	.id = &fakenic_net_id,
	.size = sizeof(struct fakenic_net),
};

static int __init fakenic_init(void)
{
	int err;

	err = register_pernet_subsys(&fakenic_net_ops);
	if (err)
		return err;
	err = fakenic_bind_init();
	if (err)
		unregister_pernet_subsys(&fakenic_net_ops);
	return err;
}

static void __exit fakenic_exit(void)
{
	fakenic_bind_exit();
	unregister_pernet_subsys(&fakenic_net_ops);
	/* Hooks that run take no reference of the module. */
	synchronize_net();
}

module_init(fakenic_init);
module_exit(fakenic_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Network card without hardware that offloads flowtables, for tests");
