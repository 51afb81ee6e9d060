// SPDX-License-Identifier: GPL-2.0-only
/* Tables and rows as attributes, and the messages that tell of changes. */
#include <linux/jiffies.h>
#include <net/genetlink.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/sock.h>

#include "genl.h"
#include "nft_dict.h"

/* How many writes of a table are told until this time is over. */
#define NFT_DICT_MOST_TOLD	1024
#define NFT_DICT_TOLD_FOR	(HZ / 20 + 1)

int nft_dict_table_head(struct sk_buff *skb, const struct nft_dict_table *t)
{
	return nla_put_string(skb, NFT_DICT_A_TABLE, t->name) ||
	       nla_put_u32(skb, NFT_DICT_A_TABLE_ID, t->id) ? -EMSGSIZE : 0;
}

static int nft_dict_field_fill(struct sk_buff *skb, const struct nft_dict_field *f, u32 index)
{
	struct nlattr *nest = nla_nest_start(skb, NFT_DICT_A_FIELD), *def;
	int i;

	if (!nest || nla_put_string(skb, NFT_DICT_FIELD_NAME, f->name[0]) ||
	    nla_put_u32(skb, NFT_DICT_FIELD_INDEX, index) ||
	    (f->type && nla_put_u32(skb, NFT_DICT_FIELD_TYPE, f->type)))
		return -EMSGSIZE;
	if (f->def.type) {
		def = nla_nest_start(skb, NFT_DICT_FIELD_DEFAULT);
		if (!def || nft_dict_value_put(skb, &f->def))
			return -EMSGSIZE;
		nla_nest_end(skb, def);
	}
	for (i = 1; i < f->names; i++)
		if (nla_put_string(skb, NFT_DICT_FIELD_ALIAS, f->name[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* nft_dict_table_bytes - enough room for nft_dict_table_fill. */
size_t nft_dict_table_bytes(const struct nft_dict_table *t)
{
	unsigned int n = nft_dict_table_fields(t), i;
	size_t bytes = nla_total_size(sizeof(t->name)) + nla_total_size(sizeof(NFT_DICT_VERSION)) +
		       8 * nla_total_size(sizeof(u32)) + 2 * nla_total_size_64bit(sizeof(u64));

	for (i = 0; i < n; i++) {
		const struct nft_dict_field *f = t->fields[i];

		bytes += nla_total_size(0) + 2 * nla_total_size(sizeof(u32)) +
			 f->names * nla_total_size(sizeof(f->name[0]));
		if (f->def.type)
			bytes += nla_total_size(0) + nla_total_size_64bit(f->def.len);
	}
	return bytes;
}

/* nft_dict_table_fill - schema and figures of a table. */
int nft_dict_table_fill(struct sk_buff *skb, const struct nft_dict_table *t)
{
	unsigned int n = nft_dict_table_fields(t), i;

	if (nft_dict_table_head(skb, t) ||
	    nla_put_u32(skb, NFT_DICT_A_KEY_TYPE, t->key_type) ||
	    nla_put_u32(skb, NFT_DICT_A_LIMIT, t->limit) ||
	    nla_put_u32(skb, NFT_DICT_A_TIMEOUT, t->timeout) ||
	    nla_put_u32(skb, NFT_DICT_A_FLAGS, t->flags) ||
	    nla_put_u32(skb, NFT_DICT_A_ROWS, READ_ONCE(t->count) - READ_ONCE(t->hidden)) ||
	    nla_put_u64_64bit(skb, NFT_DICT_A_REFUSED, atomic64_read(&t->refused),
			      NFT_DICT_A_PAD) ||
	    nla_put_u32(skb, NFT_DICT_A_USERS, atomic_read(&t->users)) ||
	    nla_put_u64_64bit(skb, NFT_DICT_A_BYTES, atomic_long_read(&t->bytes),
			      NFT_DICT_A_PAD) ||
	    nla_put_string(skb, NFT_DICT_A_VERSION, NFT_DICT_VERSION) ||
	    nla_put_u32(skb, NFT_DICT_A_CHANGES, atomic_read(&t->generation)))
		return -EMSGSIZE;
	for (i = 0; i < n; i++)
		if (nft_dict_field_fill(skb, t->fields[i], i))
			return -EMSGSIZE;
	return 0;
}

static int nft_dict_key_put(struct sk_buff *skb, const struct nft_dict_row *row)
{
	if (row->link.flags & NFT_DICT_LINK_SESSION)
		return nla_put_u32(skb, NFT_DICT_ROW_KEY, nft_dict_session(row)->id);
	return nla_put(skb, NFT_DICT_ROW_KEY, row->key.len, row->key.data);
}

static int nft_dict_cell_put(struct sk_buff *skb, const struct nft_dict_value *v)
{
	struct nlattr *nest = nla_nest_start(skb, NFT_DICT_ROW_CELL);

	if (!nest || nla_put_u32(skb, NFT_DICT_CELL_FIELD, v->field) ||
	    (v->type && nft_dict_value_put(skb, v)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Bytes of a cell with a value of @len. */
static size_t nft_dict_cell_bytes(unsigned int len)
{
	return nla_total_size(0) + nla_total_size(sizeof(u32)) + nla_total_size_64bit(len);
}

static size_t nft_dict_row_head_bytes(const struct nft_dict_row *row)
{
	return nla_total_size(0) + nla_total_size(row->key.len) + nla_total_size(sizeof(u32));
}

/* nft_dict_row_bytes - room for nft_dict_row_fill, as the row is now. */
size_t nft_dict_row_bytes(const struct nft_dict_row *row)
{
	const struct nft_dict_cells *cells = rcu_dereference(row->cells);
	size_t bytes = nft_dict_row_head_bytes(row);
	struct nft_dict_value v;
	unsigned int field = 0;

	while (nft_dict_cells_next(cells, &field, &v))
		bytes += nft_dict_cell_bytes(v.len);
	return bytes;
}

/* nft_dict_row_fill - a row with all its cells, under RCU. On -EMSGSIZE the
 * message is as it was.
 */
int nft_dict_row_fill(struct sk_buff *skb, const struct nft_dict_row *row)
{
	const struct nft_dict_cells *cells = rcu_dereference(row->cells);
	struct nlattr *nest = nla_nest_start(skb, NFT_DICT_A_ROW);
	u32 left = nft_dict_row_left(row);
	struct nft_dict_value v;
	unsigned int field = 0;

	if (!nest)
		return -EMSGSIZE;
	if (nft_dict_key_put(skb, row) || (left && nla_put_u32(skb, NFT_DICT_ROW_TTL, left)))
		goto cancel;
	while (nft_dict_cells_next(cells, &field, &v))
		if (nft_dict_cell_put(skb, &v))
			goto cancel;
	nla_nest_end(skb, nest);
	return 0;
cancel:
	nla_nest_cancel(skb, nest);
	return -EMSGSIZE;
}

static void nft_dict_send(const struct nft_dict_table *t, struct sk_buff *skb, void *head,
			  enum nft_dict_group group, gfp_t gfp)
{
	genlmsg_end(skb, head);
	genlmsg_multicast_netns(&nft_dict_family, t->dn->net, skb, 0, group, gfp);
}

/* Nobody will learn of the change: let those who listen know that. */
static void nft_dict_lost(const struct nft_dict_table *t, enum nft_dict_group group)
{
	genl_set_err(&nft_dict_family, t->dn->net, 0, group, -ENOBUFS);
}

/* nft_dict_tell_row - tell of a change of a row, under its lock, so that its
 * changes are told in the order in which they came. @v are the cells changed, or
 * deleted if they have no type.
 */
void nft_dict_tell_row(const struct nft_dict_table *t, const struct nft_dict_row *row, u8 cmd,
		       const struct nft_dict_value *v, unsigned int n, enum nft_dict_group group)
{
	size_t bytes = nla_total_size(sizeof(t->name)) + nla_total_size(sizeof(u32)) +
		       nft_dict_row_head_bytes(row);
	struct sk_buff *skb;
	struct nlattr *nest;
	unsigned int i;
	void *head;

	for (i = 0; i < n; i++)
		bytes += nft_dict_cell_bytes(v[i].type ? v[i].len : 0);
	skb = genlmsg_new(bytes, GFP_ATOMIC);
	if (!skb)
		goto lost;
	head = genlmsg_put(skb, 0, 0, &nft_dict_family, 0, cmd);
	if (!head || nft_dict_table_head(skb, t))
		goto free;
	nest = nla_nest_start(skb, NFT_DICT_A_ROW);
	if (!nest || nft_dict_key_put(skb, row))
		goto free;
	for (i = 0; i < n; i++)
		if (nft_dict_cell_put(skb, &v[i]))
			goto free;
	nla_nest_end(skb, nest);
	nft_dict_send(t, skb, head, group, GFP_ATOMIC);
	return;
free:
	nlmsg_free(skb);
lost:
	nft_dict_lost(t, group);
}

/* Whether packets of a row's connection, if it is that of one, pass by no rule. */
static bool nft_dict_row_offloaded(const struct nft_dict_row *row)
{
	if (!(row->link.flags & NFT_DICT_LINK_SESSION))
		return true;
	return !(row->link.flags & NFT_DICT_LINK_WEAK) && !nft_dict_session_gone(row) &&
	       test_bit(IPS_OFFLOAD_BIT, &nft_dict_row_ct(row)->status);
}

/* nft_dict_tell_write - nft_dict_tell_row to those who listen to writes, which
 * packets can cause: of very many it is only told that there were some.
 */
void nft_dict_tell_write(struct nft_dict_table *t, const struct nft_dict_row *row, u8 cmd,
			 const struct nft_dict_value *v, unsigned int n)
{
	unsigned long now = jiffies;
	int told;

	if (!nft_dict_row_offloaded(row))
		return;
	if (time_after_eq(now, READ_ONCE(t->told_until))) {
		WRITE_ONCE(t->told_until, now + NFT_DICT_TOLD_FOR);
		atomic_set(&t->told, 0);
	}
	told = atomic_inc_return(&t->told);
	if (told <= NFT_DICT_MOST_TOLD)
		nft_dict_tell_row(t, row, cmd, v, n, NFT_DICT_GROUP_WRITES);
	else if (!READ_ONCE(t->untold))
		WRITE_ONCE(t->untold, true);
	if (told == NFT_DICT_MOST_TOLD + 1)
		nft_dict_tell_rest(t);
}

/* nft_dict_tell_rest - tell that rows were written of which nothing was told, if so:
 * by a message that is about no row.
 */
void nft_dict_tell_rest(struct nft_dict_table *t)
{
	struct sk_buff *skb;
	void *head;

	if ((!READ_ONCE(t->untold) && (!READ_ONCE(t->counted) || nft_dict_bound(t))) ||
	    !nft_dict_heard(t->dn->net, NFT_DICT_GROUP_WRITES))
		return;
	WRITE_ONCE(t->untold, false);
	WRITE_ONCE(t->counted, false);
	skb = genlmsg_new(nla_total_size(sizeof(t->name)) + nla_total_size(sizeof(u32)),
			  GFP_ATOMIC);
	if (!skb)
		goto lost;
	head = genlmsg_put(skb, 0, 0, &nft_dict_family, 0, NFT_DICT_CMD_ROW_NTF);
	if (!head || nft_dict_table_head(skb, t))
		goto free;
	nft_dict_send(t, skb, head, NFT_DICT_GROUP_WRITES, GFP_ATOMIC);
	return;
free:
	nlmsg_free(skb);
lost:
	nft_dict_lost(t, NFT_DICT_GROUP_WRITES);
}

static void nft_dict_tell_table(struct nft_dict_table *t, u8 cmd, enum nft_dict_group group)
{
	struct sk_buff *skb;
	void *head;
	int err;

	skb = genlmsg_new(nft_dict_table_bytes(t), GFP_KERNEL);
	if (!skb)
		goto lost;
	head = genlmsg_put(skb, 0, 0, &nft_dict_family, 0, cmd);
	if (!head)
		goto free;
	if (cmd == NFT_DICT_CMD_TABLE_DEL_NTF)
		err = nft_dict_table_head(skb, t);
	else
		err = nft_dict_table_fill(skb, t);
	if (err)
		goto free;
	nft_dict_send(t, skb, head, group, GFP_KERNEL);
	return;
free:
	nlmsg_free(skb);
lost:
	nft_dict_lost(t, group);
}

/* nft_dict_notify_table - tell that a table came, grew or went. */
void nft_dict_notify_table(struct nft_dict_table *t, u8 cmd)
{
	enum nft_dict_group group;

	for (group = NFT_DICT_GROUP_CHANGES; group <= NFT_DICT_GROUP_WRITES; group++)
		if (nft_dict_heard(t->dn->net, group))
			nft_dict_tell_table(t, cmd, group);
}
