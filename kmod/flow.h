/* SPDX-License-Identifier: GPL-2.0-only */
/* Flowtables that rules with the expression send connections to. */
#ifndef _NFT_DICT_FLOW_H
#define _NFT_DICT_FLOW_H

#include <linux/types.h>

struct nf_conn;
struct nft_ctx;
struct nft_dict_net;

/**
 * struct nft_dict_recall - a connection that is to be taken out of flowtables
 * @id: its conntrack id, in host order
 * @done: it is in none, as far as is known
 * @ct: its entry, with a reference, if it is known
 */
struct nft_dict_recall {
	u32		id;
	bool		done;
	struct nf_conn	*ct;
};

int nft_dict_recall_cmp(const void *a, const void *b);
struct nft_dict_flowtable *nft_dict_flowtable_get(const struct nft_ctx *ctx);
void nft_dict_flowtable_put(const struct nft_ctx *ctx, struct nft_dict_flowtable *f);
bool nft_dict_flows_known(const struct nft_dict_net *dn);
unsigned int nft_dict_flows_recall(struct nft_dict_net *dn, struct nft_dict_recall *r,
				   unsigned int n);

#endif /* _NFT_DICT_FLOW_H */
