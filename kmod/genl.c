// SPDX-License-Identifier: GPL-2.0-only
/* The generic netlink family; nft_dict.yaml describes it. */
#include "compat.h"
#include "genl.h"
#include "nft_dict.h"

static const struct nla_policy nft_dict_policy[NFT_DICT_A_MAX + 1] = {
	[NFT_DICT_A_TABLE]	= { .type = NLA_NUL_STRING },
	[NFT_DICT_A_TABLE_ID]	= { .type = NLA_U32 },
	[NFT_DICT_A_KEY_TYPE]	= NLA_POLICY_RANGE(NLA_U32, NFT_DICT_KEY_CT_ID,
						   NFT_DICT_KEY_STRING),
	[NFT_DICT_A_LIMIT]	= NLA_POLICY_MIN(NLA_U32, 1),
	[NFT_DICT_A_TIMEOUT]	= { .type = NLA_U32 },
	[NFT_DICT_A_FLAGS]	= NLA_POLICY_MASK(NLA_U32, NFT_DICT_TABLE_BOUND |
						  NFT_DICT_TABLE_OPEN),
	/* Their contents are checked where they are read, once. */
	[NFT_DICT_A_FIELD]	= { .type = NLA_NESTED },
	[NFT_DICT_A_ROW]	= { .type = NLA_NESTED },
	[NFT_DICT_A_IDS]	= { .type = NLA_BINARY },
};

/* Reading needs the capability, too: what is in the tables is people's traffic. */
#define NFT_DICT_OP_FLAGS	GENL_UNS_ADMIN_PERM

static const struct genl_ops nft_dict_dump_ops[] = {
	{
		.cmd	= NFT_DICT_CMD_TABLE_GET,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_table_get_doit,
		.start	= nft_dict_table_get_start,
		.dumpit	= nft_dict_table_get_dumpit,
	},
	{
		.cmd	= NFT_DICT_CMD_ROW_GET,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_row_get_doit,
		.start	= nft_dict_row_get_start,
		.dumpit	= nft_dict_row_get_dumpit,
		.done	= nft_dict_row_get_done,
	},
};

static const struct genl_small_ops nft_dict_ops[] = {
	{
		.cmd	= NFT_DICT_CMD_TABLE_NEW,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_table_new_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_TABLE_DEL,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_table_del_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_FIELD_NEW,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_field_new_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_ROW_PUT,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_row_put_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_ROW_DEL,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_row_del_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_ROW_RENEW,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_row_renew_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_ROW_ADD,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_row_add_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_FLUSH,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_flush_doit,
	},
	{
		.cmd	= NFT_DICT_CMD_RECALL,
		.flags	= NFT_DICT_OP_FLAGS,
		.doit	= nft_dict_recall_doit,
	},
};

static const struct genl_multicast_group nft_dict_groups[] = {
	[NFT_DICT_GROUP_CHANGES] = {
		.name	= NFT_DICT_MCGRP_CHANGES,
		NFT_DICT_GROUP_FLAGS
	},
	[NFT_DICT_GROUP_WRITES] = {
		.name	= NFT_DICT_MCGRP_WRITES,
		NFT_DICT_GROUP_FLAGS
	},
};

struct genl_family nft_dict_family __ro_after_init = {
	.name		= NFT_DICT_GENL_NAME,
	.version	= NFT_DICT_GENL_VERSION,
	.maxattr	= NFT_DICT_A_MAX,
	.policy		= nft_dict_policy,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= nft_dict_dump_ops,
	.n_ops		= ARRAY_SIZE(nft_dict_dump_ops),
	.small_ops	= nft_dict_ops,
	.n_small_ops	= ARRAY_SIZE(nft_dict_ops),
	.resv_start_op	= NFT_DICT_CMD_TABLE_NEW,
	.mcgrps		= nft_dict_groups,
	.n_mcgrps	= ARRAY_SIZE(nft_dict_groups),
	NFT_DICT_FAMILY_BIND
};

int nft_dict_genl_init(void)
{
	return genl_register_family(&nft_dict_family);
}

/* What ends after the family has nobody to be told to: its group's number may
 * be another family's by then.
 */
bool nft_dict_genl_closed;

void nft_dict_genl_exit(void)
{
	WRITE_ONCE(nft_dict_genl_closed, true);
	synchronize_rcu(); /* rows tell under their locks */
	genl_unregister_family(&nft_dict_family);
}
