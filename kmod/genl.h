/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the netlink family share. */
#ifndef _NFT_DICT_GENL_H
#define _NFT_DICT_GENL_H

#include <net/genetlink.h>

#include "nft_dict.h"

/* notify.c */
int nft_dict_table_head(struct sk_buff *skb, const struct nft_dict_table *t);
size_t nft_dict_table_bytes(const struct nft_dict_table *t);
int nft_dict_table_fill(struct sk_buff *skb, const struct nft_dict_table *t);
size_t nft_dict_row_bytes(const struct nft_dict_row *row);
int nft_dict_row_fill(struct sk_buff *skb, const struct nft_dict_row *row);

/* genl_table.c */
bool nft_dict_name_parse(char *name, const struct nlattr *attr, struct netlink_ext_ack *extack);
struct nft_dict_table *nft_dict_table_of(struct nft_dict_net *dn, struct nlattr **attrs,
					 struct netlink_ext_ack *extack);
int nft_dict_table_new_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_table_del_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_table_get_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_table_get_start(struct netlink_callback *cb);
int nft_dict_table_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int nft_dict_field_new_doit(struct sk_buff *skb, struct genl_info *info);

/* genl_row.c */
int nft_dict_row_put_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_row_add_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_row_get_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_row_del_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_row_renew_doit(struct sk_buff *skb, struct genl_info *info);
int nft_dict_flush_doit(struct sk_buff *skb, struct genl_info *info);

/* genl_recall.c */
int nft_dict_recall_doit(struct sk_buff *skb, struct genl_info *info);

/* genl_parse.c */

/**
 * struct nft_dict_request - a row of a message, read
 * @put: its cells and ttl
 * @sum: room for what they come to, if they are amounts
 * @wide: bytes of ints that became int64s, by the place in @put
 * @plain: where it is in the message, if all its cells were plain
 * @key: its key as user space names it
 */
struct nft_dict_request {
	struct nft_dict_put	put;
	struct nft_dict_sum	*sum;
	s64			wide[NFT_DICT_MAX_FIELDS];
	const struct nlattr	*plain;
	union nft_dict_any_key	key;
};

/* What the cells of a row are for. */
enum nft_dict_purpose {
	NFT_DICT_FOR_KEY,	/* there are none */
	NFT_DICT_FOR_PUT,	/* each has a value */
	NFT_DICT_FOR_ADD,	/* each has a number */
	NFT_DICT_FOR_DELETE,	/* none has a value */
	NFT_DICT_FOR_FILTER,	/* each may have one; there is no key */
};

int nft_dict_key_parse(const struct nft_dict_table *t, struct nft_dict_key *key,
		       const void *data, unsigned int len);
int nft_dict_row_parse(struct nft_dict_table *t, struct nft_dict_request *r,
		       const struct nlattr *nest, enum nft_dict_purpose purpose,
		       struct netlink_ext_ack *extack);

/* genl_dump.c */
int nft_dict_row_get_start(struct netlink_callback *cb);
int nft_dict_row_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int nft_dict_row_get_done(struct netlink_callback *cb);

#endif /* _NFT_DICT_GENL_H */
