// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/fakenic. Reading lists figures, devices and their rules. Writing is a
 * command a line:
 *
 *	claim DEV, release DEV		the device takes rules of flowtables made later
 *	refuse N|all, accept		refuse so many rules to come
 *	forward on|off			off: take rules, and let the stack forward
 *	count on|off			off: tell the flowtable of no packets
 *	learn MS			take so long over each rule, for each device
 */
#include <linux/if_ether.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fakenic.h"

static const char fakenic_name[] = "fakenic";

static void fakenic_show_rule(struct seq_file *s, struct fakenic_bind *bind,
			      struct fakenic_rule *rule)
{
	const struct fakenic_key *key = &rule->key;
	struct net_device *out;

	seq_printf(s, "rule %s %s", bind->dev->name, key->l4proto == IPPROTO_TCP ? "tcp" : "udp");
	if (key->protocol == htons(ETH_P_IP))
		seq_printf(s, " %pI4 %u %pI4 %u", &key->src, ntohs(key->sport), &key->dst,
			   ntohs(key->dport));
	else
		seq_printf(s, " %pI6c %u %pI6c %u", &key->src, ntohs(key->sport), &key->dst,
			   ntohs(key->dport));
	rcu_read_lock();
	out = dev_get_by_index_rcu(bind->net, rule->out);
	seq_printf(s, " out %s", out ? out->name : "-");
	rcu_read_unlock();
	seq_printf(s, " packets %lld bytes %lld told %llu\n", atomic64_read(&rule->packets),
		   atomic64_read(&rule->bytes), rule->told_bytes);
}

/* fakenic_untold() tells the bytes of rules that went before anybody asked: of all that
 * were forwarded, as a packet may still be on its way by a rule that goes.
 */
static u64 fakenic_untold(struct fakenic_net *fn)
{
	struct fakenic_bind *bind;
	struct fakenic_rule *rule;
	u64 known = fn->told;
	int i;

	list_for_each_entry(bind, &fn->binds, list)
		hash_for_each(bind->by_cookie, i, rule, by_cookie)
			known += atomic64_read(&rule->bytes) - rule->told_bytes;
	return atomic64_read(&fn->bytes) - known;
}

static int fakenic_show(struct seq_file *s, void *v)
{
	struct fakenic_net *fn = fakenic_pernet(seq_file_single_net(s));
	struct fakenic_bind *bind;
	struct fakenic_rule *rule;
	int i;

	mutex_lock(&fakenic_mutex);
	seq_printf(s, "accepted %llu refused %llu destroyed %llu asked %llu\n", fn->accepted,
		   fn->refused, fn->destroyed, fn->asked);
	seq_printf(s, "packets %lld bytes %lld left %lld untold %llu\n",
		   atomic64_read(&fn->packets), atomic64_read(&fn->bytes), atomic64_read(&fn->left),
		   fakenic_untold(fn));
	list_for_each_entry(bind, &fn->binds, list) {
		seq_printf(s, "device %s rules %u\n", bind->dev->name, bind->rules);
		hash_for_each(bind->by_cookie, i, rule, by_cookie)
			fakenic_show_rule(s, bind, rule);
	}
	mutex_unlock(&fakenic_mutex);
	return 0;
}

static int fakenic_claim(struct net *net, const char *name, bool claim)
{
	struct net_device *dev;
	int err = 0;

	rtnl_lock();
	dev = __dev_get_by_name(net, name);
	if (!dev) {
		err = -ENODEV;
	} else if (dev->netdev_ops->ndo_setup_tc) {
		err = -EBUSY;
	} else if (claim) {
		dev->hw_features |= NETIF_F_HW_TC;
		dev->wanted_features |= NETIF_F_HW_TC;
		netdev_update_features(dev);
	} else {
		dev->wanted_features &= ~NETIF_F_HW_TC;
		netdev_update_features(dev);
		dev->hw_features &= ~NETIF_F_HW_TC;
	}
	rtnl_unlock();
	return err;
}

static int fakenic_switch(bool *off, const char *word)
{
	if (word && !strcmp(word, "off"))
		WRITE_ONCE(*off, true);
	else if (word && !strcmp(word, "on"))
		WRITE_ONCE(*off, false);
	else
		return -EINVAL;
	return 0;
}

static int fakenic_command(struct net *net, char *line)
{
	struct fakenic_net *fn = fakenic_pernet(net);
	char *word = strsep(&line, " ");
	int err = 0;

	if (!strcmp(word, "claim") || !strcmp(word, "release"))
		return line ? fakenic_claim(net, line, *word == 'c') : -EINVAL;
	mutex_lock(&fakenic_mutex);
	if (!strcmp(word, "accept"))
		fn->refuse = 0;
	else if (!strcmp(word, "refuse") && line && !strcmp(line, "all"))
		fn->refuse = UINT_MAX;
	else if (!strcmp(word, "refuse") && line)
		err = kstrtouint(line, 10, &fn->refuse);
	else if (!strcmp(word, "forward"))
		err = fakenic_switch(&fn->idle, line);
	else if (!strcmp(word, "count"))
		err = fakenic_switch(&fn->mute, line);
	else if (!strcmp(word, "learn") && line)
		err = kstrtouint(line, 10, &fn->learn);
	else
		err = -EINVAL;
	mutex_unlock(&fakenic_mutex);
	return err;
}

static int fakenic_write(struct file *file, char *buf, size_t size)
{
	struct net *net = seq_file_single_net(file->private_data);
	char *line;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	while ((line = strsep(&buf, "\n"))) {
		if (!*line)
			continue;
		err = fakenic_command(net, line);
		if (err)
			return err;
	}
	return size;
}

int __net_init fakenic_proc_init(struct net *net)
{
	if (!proc_create_net_single_write(fakenic_name, 0600, net->proc_net, fakenic_show,
					  fakenic_write, NULL))
		return -ENOMEM;
	return 0;
}

void __net_exit fakenic_proc_exit(struct net *net)
{
	remove_proc_entry(fakenic_name, net->proc_net);
}
