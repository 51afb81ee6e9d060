// SPDX-License-Identifier: GPL-2.0-only
/* The command that takes connections back out of flowtables. */
#include <linux/sort.h>
#include <net/netfilter/nf_conntrack.h>

#include "flow.h"
#include "genl.h"
#include "nft_dict.h"

/* Read the ids, sorted and each once; returns how many there are. */
static unsigned int nft_dict_recall_read(struct nft_dict_recall *r, const struct nlattr *attr)
{
	unsigned int i, n = nla_len(attr) / sizeof(u32), last = 0;
	const char *data = nla_data(attr);

	for (i = 0; i < n; i++)
		memcpy(&r[i].id, data + i * sizeof(u32), sizeof(u32));
	sort(r, n, sizeof(*r), nft_dict_recall_cmp, NULL);
	for (i = 1; i < n; i++)
		if (r[i].id != r[last].id)
			r[++last].id = r[i].id;
	return last + 1;
}

/* Find the entries that rows know, which tell of themselves whether they are in a
 * flowtable.
 */
static void nft_dict_recall_find(struct nft_dict_net *dn, struct nft_dict_recall *r,
				 unsigned int n)
{
	struct nft_dict_table *t;
	unsigned int i;
	u32 id = 0;

	while ((t = nft_dict_table_after(dn, id))) {
		id = t->id;
		for (i = 0; i < n && nft_dict_bound(t); i++)
			if (!r[i].ct)
				r[i].ct = nft_dict_session_entry(t, r[i].id);
		nft_dict_table_put(t);
		cond_resched();
	}
	for (i = 0; i < n; i++)
		r[i].done = r[i].ct && !test_bit(IPS_OFFLOAD_BIT, &r[i].ct->status);
}

/* Tell how many were taken back, and of which it is not known that they are in no
 * flowtable.
 */
static int nft_dict_recall_answer(struct genl_info *info, const struct nft_dict_recall *r,
				  unsigned int n, unsigned int count)
{
	unsigned int i, missing = 0;
	struct nlattr *attr;
	struct sk_buff *skb;
	void *head;

	for (i = 0; i < n; i++)
		missing += !r[i].done;
	skb = genlmsg_new(nla_total_size(sizeof(u32)) + nla_total_size(missing * sizeof(u32)),
			  GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	head = genlmsg_put_reply(skb, info, &nft_dict_family, 0, NFT_DICT_CMD_RECALL);
	if (!head || nla_put_u32(skb, NFT_DICT_A_COUNT, count))
		goto free;
	attr = nla_reserve(skb, NFT_DICT_A_IDS, missing * sizeof(u32));
	if (!attr)
		goto free;
	for (i = 0, missing = 0; i < n; i++)
		if (!r[i].done)
			((u32 *)nla_data(attr))[missing++] = r[i].id;
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);
free:
	nlmsg_free(skb);
	return -EMSGSIZE;
}

int nft_dict_recall_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_net *dn = nft_dict_pernet(genl_info_net(info));
	const struct nlattr *attr = info->attrs[NFT_DICT_A_IDS];
	struct nft_dict_recall *r;
	unsigned int i, n, count;
	int err;

	if (!attr) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, NFT_DICT_A_IDS);
		NL_SET_ERR_MSG(info->extack, "no ids are given");
		return -EINVAL;
	}
	if (!nla_len(attr) || nla_len(attr) % sizeof(u32)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "ids are not one or more numbers of 4 bytes");
		return -EINVAL;
	}
	if (nla_len(attr) > NFT_DICT_MAX_IDS * sizeof(u32)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "message has more than 8192 ids");
		return -E2BIG;
	}
	r = kvcalloc(nla_len(attr) / sizeof(u32), sizeof(*r), GFP_KERNEL);
	if (!r) {
		NL_SET_ERR_MSG(info->extack, "out of memory");
		return -ENOMEM;
	}
	n = nft_dict_recall_read(r, attr);

	/* Packets that rules let pass by a row that has been changed since may still
	 * be on the way into a flowtable.
	 */
	if (nft_dict_flows_known(dn))
		synchronize_rcu_expedited();
	nft_dict_recall_find(dn, r, n);
	count = nft_dict_flows_recall(dn, r, n);
	err = nft_dict_recall_answer(info, r, n, count);
	for (i = 0; i < n; i++)
		if (r[i].ct)
			nf_ct_put(r[i].ct);
	kvfree(r);
	return err;
}
