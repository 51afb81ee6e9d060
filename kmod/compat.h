/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels. What can be probed is probed by compiling, see
 * Kbuild; nothing asks for the version of the kernel.
 */
#ifndef _NFT_DICT_COMPAT_H
#define _NFT_DICT_COMPAT_H

#ifdef NFT_DICT_UNALIGNED_IN_LINUX
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
#include <net/genetlink.h>
#include <net/netfilter/nf_tables.h>

/* Before 5.15.98 and 6.1.16 or so, the rule was not told of the registers that
 * an expression reads.
 */
static inline int nft_dict_register_load(const struct nft_ctx *ctx, const struct nlattr *attr,
					 u8 *reg, u32 len)
{
#ifdef NFT_DICT_LOAD_WITHOUT_CTX
	return nft_parse_register_load(attr, reg, len);
#else
	return nft_parse_register_load(ctx, attr, reg, len);
#endif
}

/* Since 7.0 or so, a flowtable is looked for with its namespace. */
static inline struct nft_flowtable *nft_dict_flowtable_lookup(const struct nft_ctx *ctx,
							      const struct nlattr *name)
{
	u8 genmask = nft_genmask_next(ctx->net);

#ifdef NFT_DICT_FLOWTABLE_WITHOUT_NET
	return nft_flowtable_lookup(ctx->table, name, genmask);
#else
	return nft_flowtable_lookup(ctx->net, ctx->table, name, genmask);
#endif
}

/* Since 6.2, and in later stable kernels of older lines, dumps can reset. */
#ifdef NFT_DICT_DUMP_WITHOUT_RESET
#define NFT_DICT_DUMP_ARGS struct sk_buff *skb, const struct nft_expr *expr
#else
#define NFT_DICT_DUMP_ARGS struct sk_buff *skb, const struct nft_expr *expr, bool reset
#endif

/* Rules were once optimised by what registers are known to hold. */
#ifdef NFT_REDUCE_READONLY
#define NFT_DICT_REDUCE(f) .reduce = (f),
#else
#define NFT_DICT_REDUCE(...)
#endif

/* The attributes of a dump's request moved in 6.6. */
static inline struct nlattr **nft_dict_dump_attrs(struct netlink_callback *cb)
{
#ifdef NFT_DICT_DUMP_INFO_ATTRS
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

/* Who may join a group: since 6.7, and in later stable kernels of older lines,
 * that is a flag of the group, before it was a question to the family.
 */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define NFT_DICT_GROUP_FLAGS	.flags = GENL_MCAST_CAP_NET_ADMIN,
#define NFT_DICT_FAMILY_BIND
#else
static inline int nft_dict_mcast_bind(struct net *net, int group)
{
	return ns_capable(net->user_ns, CAP_NET_ADMIN) ? 0 : -EPERM;
}

#define NFT_DICT_GROUP_FLAGS
#define NFT_DICT_FAMILY_BIND	.mcast_bind = nft_dict_mcast_bind,
#endif

#endif /* _NFT_DICT_COMPAT_H */
