// SPDX-License-Identifier: GPL-2.0-only
/* The dump of a table's rows. */
#include <linux/slab.h>

#include "compat.h"
#include "find.h"
#include "genl.h"
#include "nft_dict.h"

/* Room that any row finds in a message: its values with their attributes. */
#define NFT_DICT_DUMP_BYTES	\
	(NFT_DICT_MAX_ROW + NFT_DICT_MAX_FIELDS * 32 + 1024)

/**
 * struct nft_dict_dump - a dump under way
 * @cursor: where it is
 * @filter: what rows must have, NULL for anything
 * @bytes: of the filter's values
 */
struct nft_dict_dump {
	struct nft_dict_cursor	cursor;
	struct nft_dict_request	*filter;
	struct nlattr		*bytes;
};

static int nft_dict_dump_filter(struct nft_dict_dump *d, const struct nlattr *row,
				struct netlink_ext_ack *extack)
{
	int err;

	d->filter = kmalloc(sizeof(*d->filter), GFP_KERNEL_ACCOUNT);
	/* The message does not live as long as the dump. */
	d->bytes = kmemdup(row, row->nla_len, GFP_KERNEL_ACCOUNT);
	if (!d->filter || !d->bytes)
		return -ENOMEM;
	err = nft_dict_row_parse(d->cursor.table, d->filter, d->bytes, NFT_DICT_FOR_FILTER,
				 extack);
	/* What is wrong with the copy is wrong with the message. */
	if (err && extack && extack->bad_attr)
		NL_SET_BAD_ATTR(extack, (const void *)row +
				((const void *)extack->bad_attr - (const void *)d->bytes));
	return err;
}

static void nft_dict_dump_free(struct nft_dict_dump *d)
{
	nft_dict_table_put(d->cursor.table);
	kfree(d->filter);
	kfree(d->bytes);
	kfree(d);
}

static int nft_dict_dump_start(struct netlink_callback *cb, struct netlink_ext_ack *extack)
{
	struct nft_dict_net *dn = nft_dict_pernet(sock_net(cb->skb->sk));
	struct nlattr **attrs = nft_dict_dump_attrs(cb);
	struct nft_dict_dump *d;
	struct nft_dict_table *t;
	int err;

	t = nft_dict_table_of(dn, attrs, extack);
	if (IS_ERR(t))
		return PTR_ERR(t);
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d) {
		nft_dict_table_put(t);
		return -ENOMEM;
	}
	d->cursor.table = t;
	if (attrs[NFT_DICT_A_ROW]) {
		err = nft_dict_dump_filter(d, attrs[NFT_DICT_A_ROW], extack);
		if (err) {
			nft_dict_dump_free(d);
			return err;
		}
	}
	nft_dict_cursor_start(&d->cursor, t);
	cb->args[0] = (long)d;
	cb->min_dump_alloc = NFT_DICT_DUMP_BYTES;
	return 0;
}

/* cb->args[0] is the dump. Older kernels have nobody listen to why a dump cannot
 * start: there args[1] is the error and args[2] the text, to be told in place of
 * the first message.
 */
int nft_dict_row_get_start(struct netlink_callback *cb)
{
	struct netlink_ext_ack extack = {};
	int err = nft_dict_dump_start(cb, cb->extack ? cb->extack : &extack);

	if (!err || cb->extack)
		return err;
	cb->args[1] = err;
	cb->args[2] = (long)extack._msg;
	return 0;
}

int nft_dict_row_get_done(struct netlink_callback *cb)
{
	struct nft_dict_dump *d = (void *)cb->args[0];

	if (d) {
		nft_dict_cursor_end(&d->cursor);
		nft_dict_dump_free(d);
	}
	return 0;
}

static bool nft_dict_dump_wants(const struct nft_dict_dump *d, const struct nft_dict_row *row)
{
	const struct nft_dict_cells *cells = rcu_dereference(row->cells);
	unsigned int i;

	if (!nft_dict_row_shown(row))
		return false;
	for (i = 0; d->filter && i < d->filter->put.count; i++) {
		const struct nft_dict_value *want = &d->filter->put.value[i];
		struct nft_dict_value v;

		if (!nft_dict_cells_get(cells, want->field, &v) ||
		    (want->type && !nft_dict_value_equal(&v, want)))
			return false;
	}
	return true;
}

int nft_dict_row_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nft_dict_dump *d = (void *)cb->args[0];
	struct nft_dict_row *row = NULL;
	struct nft_dict_table *t;
	unsigned int rows = 0, steps = 0;
	void *head;

	if (!d) {
		if (cb->extack)
			cb->extack->_msg = (const char *)cb->args[2];
		return cb->args[1];
	}
	t = d->cursor.table;
	/* Never 0, which would mean that nobody asks for consistency. */
	cb->seq = (u32)atomic_read(&t->generation) << 1 | 1;
	head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &nft_dict_family, NLM_F_MULTI, NFT_DICT_CMD_ROW_GET);
	if (!head || nft_dict_table_head(skb, t))
		return -EMSGSIZE;
	rcu_read_lock();
	while ((row = nft_dict_cursor_next(&d->cursor, row))) {
		if (nft_dict_dump_wants(d, row)) {
			if (nft_dict_row_fill(skb, row))
				break;
			rows++;
		}
		if (++steps % NFT_DICT_CURSOR_STEPS == 0)
			row = nft_dict_cursor_rest(&d->cursor, row);
	}
	rcu_read_unlock();
	if (!rows) {
		genlmsg_cancel(skb, head);
		return row ? -EMSGSIZE : 0;
	}
	genl_dump_check_consistent(cb, head);
	genlmsg_end(skb, head);
	return skb->len;
}
