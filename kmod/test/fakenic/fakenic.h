/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network card that forwards by itself, for tests of flowtables with
 * "flags offload" where there is no such hardware. It is no device of its own:
 * devices that have no offload (veth above all) are claimed for it, take rules
 * of flowtables through indirect blocks, and forward what these match before
 * any other hook of the stack sees it.
 */
#ifndef FAKENIC_H
#define FAKENIC_H

#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/in6.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <net/flow_offload.h>
#include <net/net_namespace.h>

#define FAKENIC_BITS		10	/* of the hashes of a device's rules */
#define FAKENIC_RULES_MAX	65536	/* of a device */
#define FAKENIC_MANGLES_MAX	16	/* of a rule */

/* What packets a rule is for; addresses of IPv4 are in the first word. */
struct fakenic_key {
	struct in6_addr src, dst;
	__be16 sport, dport;
	__be16 protocol;	/* ETH_P_IP or ETH_P_IPV6 */
	__be16 tpid;		/* of the tag, 0 for none */
	u16 vid;
	u8 l4proto;
	u8 pad;
};

struct fakenic_mangle {
	u8 htype;		/* enum flow_action_mangle_base */
	u8 offset;		/* in bytes, below 64 */
	u32 mask, val;		/* as the packet has them: bits to keep, bits to set */
};

struct fakenic_rule {
	struct hlist_node by_key, by_cookie;
	struct rcu_head rcu;
	struct fakenic_key key;
	unsigned long cookie;
	int out;		/* ifindex, in the namespace of the device */
	bool pop, push;
	__be16 push_tpid;
	u16 push_vid;
	unsigned int mangles;
	struct fakenic_mangle mangle[FAKENIC_MANGLES_MAX];
	atomic64_t packets, bytes;	/* forwarded */
	u64 told_packets, told_bytes;	/* of these, told by statistics */
	unsigned long used;		/* jiffies of the last packet */
};

/* What a flowtable is told of one of its devices. */
struct fakenic_bind {
	struct list_head list;		/* in fakenic_net.binds */
	struct rcu_head rcu;
	struct net *net;
	struct net_device *dev;
	struct nf_hook_ops hook;
	unsigned int rules;
	DECLARE_HASHTABLE(by_key, FAKENIC_BITS);
	DECLARE_HASHTABLE(by_cookie, FAKENIC_BITS);
};

/* The state of a network namespace. */
struct fakenic_net {
	struct list_head binds;
	unsigned int refuse;		/* so many rules to come */
	bool idle;			/* take rules, and forward nothing */
	bool mute;			/* forward, and tell no figures */
	unsigned int learn;		/* ms that a device takes over a rule */
	u64 accepted, refused, destroyed, asked;
	atomic64_t packets, bytes;	/* forwarded */
	atomic64_t left;	/* packets of rules, left to the stack */
	u64 told;		/* bytes, by statistics */
};

/* Guards the lists and tables of rules, and the figures that are not atomic. */
extern struct mutex fakenic_mutex;

struct fakenic_net *fakenic_pernet(const struct net *net);

/* bind.c */
int fakenic_bind_init(void);
void fakenic_bind_exit(void);
bool fakenic_can(const struct net_device *dev);

/* table.c */
int fakenic_setup_rule(enum tc_setup_type type, void *type_data, void *cb_priv);
struct fakenic_rule *fakenic_find(struct fakenic_bind *bind, const struct fakenic_key *key);
void fakenic_forget_rules(struct fakenic_bind *bind);

/* parse.c */
int fakenic_parse_rule(struct fakenic_rule *rule, const struct fakenic_bind *bind,
		       const struct flow_rule *from);

/* forward.c */
unsigned int fakenic_forward(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

/* proc.c */
int fakenic_proc_init(struct net *net);
void fakenic_proc_exit(struct net *net);

#endif
