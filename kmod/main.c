// SPDX-License-Identifier: GPL-2.0-only
/* The module and what it keeps for each network namespace. */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>
#include <net/netfilter/nf_tables.h>
#include <net/netns/generic.h>

#include "nft_dict.h"

static unsigned int nft_dict_net_id __read_mostly;

/* nft_dict_pernet - what there is of a namespace. */
struct nft_dict_net *nft_dict_pernet(const struct net *net)
{
	return net_generic(net, nft_dict_net_id);
}

/* Drop rows whose time has come and those whose conntrack entry has gone. Where
 * there are so many rows that it takes long it comes less often, and takes a
 * twentieth of a CPU at most.
 */
static void nft_dict_collect(struct work_struct *work)
{
	struct nft_dict_net *dn = container_of(to_delayed_work(work), struct nft_dict_net, gc);
	unsigned long start = jiffies;
	struct nft_dict_table *t;
	u32 id = 0;

	while ((t = nft_dict_table_after(dn, id))) {
		id = t->id;
		if (nft_dict_bound(t) || READ_ONCE(t->timed))
			nft_dict_table_end_rows(t, NFT_DICT_END_DUE);
		nft_dict_tell_rest(t);
		nft_dict_table_put(t);
		cond_resched();
	}
	if (id)
		queue_delayed_work(system_power_efficient_wq, &dn->gc,
				   clamp_t(unsigned long, 20 * (jiffies - start), HZ, 60 * HZ));
}

static int __net_init nft_dict_net_init(struct net *net)
{
	struct nft_dict_net *dn = nft_dict_pernet(net);

	dn->net = net;
	mutex_init(&dn->mutex);
	INIT_LIST_HEAD(&dn->tables);
	INIT_DELAYED_WORK(&dn->gc, nft_dict_collect);
	mutex_init(&dn->flow_mutex);
	INIT_LIST_HEAD(&dn->flowtables);
	return nft_dict_proc_init(dn);
}

/* Rules may outlive this, and hold their tables until they go; but no row does,
 * since conntrack waits for its entries.
 */
static void __net_exit nft_dict_net_exit(struct net *net)
{
	struct nft_dict_net *dn = nft_dict_pernet(net);
	struct nft_dict_table *t, *next;

	nft_dict_proc_exit(dn);
	mutex_lock(&dn->mutex);
	list_for_each_entry_safe(t, next, &dn->tables, list)
		nft_dict_table_unlink(t);
	mutex_unlock(&dn->mutex);
	cancel_delayed_work_sync(&dn->gc);
}

static struct pernet_operations nft_dict_net_ops = {
	.init	= nft_dict_net_init,
	.exit	= nft_dict_net_exit,
	.id	= &nft_dict_net_id,
	.size	= sizeof(struct nft_dict_net),
};

static int __init nft_dict_init(void)
{
	int err;

	err = register_pernet_subsys(&nft_dict_net_ops);
	if (err)
		return err;
	err = nft_dict_genl_init();
	if (err)
		goto err_net;
	err = nft_dict_expr_init();
	if (err)
		goto err_genl;
	return 0;

err_genl:
	nft_dict_genl_exit();
err_net:
	unregister_pernet_subsys(&nft_dict_net_ops);
	rcu_barrier();
	return err;
}

static void __exit nft_dict_exit(void)
{
	nft_dict_expr_exit();
	nft_dict_genl_exit();
	unregister_pernet_subsys(&nft_dict_net_ops);
	rcu_barrier(); /* rows and tables are freed after a grace period */
}

module_init(nft_dict_init);
module_exit(nft_dict_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Dictionaries for rules of nf_tables");
MODULE_VERSION(NFT_DICT_VERSION);
MODULE_ALIAS_NFT_EXPR("dict");
MODULE_ALIAS_GENL_FAMILY(NFT_DICT_GENL_NAME);
