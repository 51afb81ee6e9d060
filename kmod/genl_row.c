// SPDX-License-Identifier: GPL-2.0-only
/* The commands for rows. */
#include <linux/mm.h>
#include <linux/slab.h>

#include "genl.h"
#include "nft_dict.h"

/* Most bytes of the reply to a request for rows by their keys. */
#define NFT_DICT_MAX_REPLY	1048576

/* Rows that are dealt with before others may run. */
#define NFT_DICT_RUN		16

struct nft_dict_refusal {
	u32		index;
	int		error;
	u32		offset;
	const char	*message;
};

/**
 * struct nft_dict_batch - the rows of a message, dealt with one after the other
 * @dn: the namespace, whose mutex it holds
 * @t: the table, to which it holds a reference
 * @info: the message
 * @request: room to read a row
 * @wanted: ids whose conntrack entries were looked for
 * @rows: how many the message has
 * @index: of the row that is being dealt with
 * @count: rows done
 * @refused: rows refused
 * @refusals: what is to be told of them
 */
struct nft_dict_batch {
	struct nft_dict_net	*dn;
	struct nft_dict_table	*t;
	struct genl_info	*info;
	struct nft_dict_request	*request;
	struct nft_dict_wanted	*wanted;
	unsigned int		rows;
	unsigned int		index;
	unsigned int		count;
	unsigned int		refused;
	struct nft_dict_refusal	*refusals;
};

static const char *nft_dict_error_text(int err)
{
	switch (err) {
	case -ENOENT:
		return "row does not exist";
	case -ENODATA:
		return "field is not there";
	case -ENOTUNIQ:
		return "two live conntrack entries have this id";
	case -ENOSPC:
		return "table is full";
	case -EFBIG:
		return "row would hold more than 16384 bytes";
	case -ENOBUFS:
		return "memory of the network namespace is used up: raise max_bytes of nft_dict";
	case -ENOMEM:
		return "out of memory";
	}
	return "row is being written by too many";
}

static void nft_dict_refuse(struct nft_dict_batch *b, int err, const struct nlattr *row,
			    const struct netlink_ext_ack *extack)
{
	struct nft_dict_refusal *r = &b->refusals[b->refused++];
	const struct nlattr *bad = extack->bad_attr ? extack->bad_attr : row;

	r->index = b->index;
	r->error = -err;
	r->offset = (const char *)bad - (const char *)b->info->nlhdr;
	r->message = extack->_msg ? extack->_msg : nft_dict_error_text(err);
}

static void nft_dict_batch_end(struct nft_dict_batch *b)
{
	mutex_unlock(&b->dn->mutex);
	nft_dict_table_put(b->t);
	kvfree(b->refusals);
	kvfree(b->wanted);
	if (b->request)
		kfree(b->request->sum);
	kfree(b->request);
}

static inline bool nft_dict_is_row(const struct nlattr *attr)
{
	return nla_type(attr) == NFT_DICT_A_ROW;
}

static int nft_dict_batch_start(struct nft_dict_batch *b, struct genl_info *info)
{
	const struct nlattr *attr;
	int rem, err;

	memset(b, 0, sizeof(*b));
	b->info = info;
	b->dn = nft_dict_pernet(genl_info_net(info));
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		b->rows += nft_dict_is_row(attr);
		if (b->rows > NFT_DICT_MAX_ROWS) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "message has more than 4096 rows");
			return -E2BIG;
		}
	}
	mutex_lock(&b->dn->mutex);
	b->t = nft_dict_table_of(b->dn, info->attrs, info->extack);
	if (IS_ERR(b->t)) {
		err = PTR_ERR(b->t);
		mutex_unlock(&b->dn->mutex);
		return err;
	}
	b->request = kmalloc(sizeof(*b->request), GFP_KERNEL);
	b->refusals = kvmalloc_array(b->rows, sizeof(*b->refusals), GFP_KERNEL);
	if (b->request) {
		b->request->put.fresh = false;
		b->request->plain = NULL;
		b->request->sum = NULL;
		if (b->refusals || !b->rows)
			return 0;
	}
	nft_dict_batch_end(b);
	NL_SET_ERR_MSG(info->extack, "out of memory");
	return -ENOMEM;
}

/* A reply that has begun with the table. */
static struct sk_buff *nft_dict_reply(const struct nft_dict_batch *b, size_t bytes, u8 cmd,
				      void **head)
{
	struct sk_buff *skb;

	skb = genlmsg_new(bytes + nla_total_size(sizeof(b->t->name)) +
			  nla_total_size(sizeof(u32)), GFP_KERNEL);
	if (!skb)
		return NULL;
	*head = genlmsg_put_reply(skb, b->info, &nft_dict_family, 0, cmd);
	if (*head && !nft_dict_table_head(skb, b->t))
		return skb;
	nlmsg_free(skb);
	return NULL;
}

static int nft_dict_refusal_fill(struct sk_buff *skb, const struct nft_dict_refusal *r)
{
	struct nlattr *nest = nla_nest_start(skb, NFT_DICT_A_REFUSAL);

	if (!nest || nla_put_u32(skb, NFT_DICT_REFUSAL_INDEX, r->index) ||
	    nla_put_u32(skb, NFT_DICT_REFUSAL_ERROR, r->error) ||
	    nla_put_string(skb, NFT_DICT_REFUSAL_MESSAGE, r->message) ||
	    nla_put_u32(skb, NFT_DICT_REFUSAL_OFFSET, r->offset))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Tell what became of the rows. */
static int nft_dict_answer(struct nft_dict_batch *b)
{
	size_t bytes = nla_total_size(sizeof(u32));
	struct sk_buff *skb;
	unsigned int i;
	void *head;

	for (i = 0; i < b->refused; i++)
		bytes += nla_total_size(0) + 3 * nla_total_size(sizeof(u32)) +
			 nla_total_size(strlen(b->refusals[i].message) + 1);
	skb = nft_dict_reply(b, bytes, b->info->genlhdr->cmd, &head);
	if (!skb)
		return -ENOMEM;
	if (nla_put_u32(skb, NFT_DICT_A_COUNT, b->count))
		goto free;
	for (i = 0; i < b->refused; i++)
		if (nft_dict_refusal_fill(skb, &b->refusals[i]))
			goto free;
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, b->info);
free:
	nlmsg_free(skb);
	return -EMSGSIZE;
}

/*
 * Entries that are not bound yet are looked for before the first row is put, in
 * one walk for all rows.
 */
static int nft_dict_batch_bind(struct nft_dict_batch *b)
{
	const struct nlattr *row, *attr;
	int rem, left;

	if (!nft_dict_bound(b->t) || !b->rows)
		return 0;
	b->wanted = nft_dict_wanted_new(b->rows);
	if (!b->wanted)
		return -ENOMEM;
	nlmsg_for_each_attr(row, b->info->nlhdr, GENL_HDRLEN, rem) {
		if (!nft_dict_is_row(row))
			continue;
		nla_for_each_nested(attr, row, left) {
			if (nla_type(attr) != NFT_DICT_ROW_KEY || nla_len(attr) != sizeof(u32))
				continue;
			nft_dict_wanted_add(b->t, b->wanted, nla_get_u32(attr));
			break;
		}
	}
	nft_dict_wanted_bind(b->t, b->wanted);
	return 0;
}

static int nft_dict_batch_write(struct nft_dict_batch *b, const struct nlattr *row,
				enum nft_dict_purpose purpose, struct netlink_ext_ack *extack)
{
	int err = nft_dict_row_parse(b->t, b->request, row, purpose, extack);

	if (err)
		return err;
	err = nft_dict_row_put_next(b->t, &b->request->key.key, &b->request->put);
	if (err == -ENOENT && b->wanted) {
		err = nft_dict_wanted_error(b->wanted, b->request->key.key.data[0]);
		if (err == -ENOSPC || err == -ENOBUFS)
			atomic64_inc(&b->t->refused);
		if (err == -ENOENT)
			NL_SET_ERR_MSG(extack, "no live conntrack entry has this id");
	}
	return err;
}

static int nft_dict_batch_put(struct nft_dict_batch *b, const struct nlattr *row,
			      struct netlink_ext_ack *extack)
{
	return nft_dict_batch_write(b, row, NFT_DICT_FOR_PUT, extack);
}

static int nft_dict_batch_add(struct nft_dict_batch *b, const struct nlattr *row,
			      struct netlink_ext_ack *extack)
{
	return nft_dict_batch_write(b, row, NFT_DICT_FOR_ADD, extack);
}

static int nft_dict_batch_delete(struct nft_dict_batch *b, const struct nlattr *row,
				 struct netlink_ext_ack *extack)
{
	int err = nft_dict_row_parse(b->t, b->request, row, NFT_DICT_FOR_DELETE, extack);

	if (err)
		return err;
	return nft_dict_row_delete(b->t, &b->request->key.key, &b->request->put);
}

static int nft_dict_batch_renew(struct nft_dict_batch *b, const struct nlattr *row,
				struct netlink_ext_ack *extack)
{
	int err = nft_dict_row_parse(b->t, b->request, row, NFT_DICT_FOR_KEY, extack);

	if (err)
		return err;
	return nft_dict_row_renew(b->t, &b->request->key.key, b->request->put.ttl);
}

/* Do something with each row, in order. A row that is not there is no refusal
 * where @pass_over says so.
 */
static int nft_dict_batch_run(struct nft_dict_batch *b, bool pass_over,
			      int (*f)(struct nft_dict_batch *b, const struct nlattr *row,
				       struct netlink_ext_ack *extack))
{
	struct netlink_ext_ack extack = {};
	const struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, b->info->nlhdr, GENL_HDRLEN, rem) {
		if (!nft_dict_is_row(attr))
			continue;
		extack._msg = NULL;
		extack.bad_attr = NULL;
		err = f(b, attr, &extack);
		if (!err)
			b->count++;
		else if (err != -ENOENT || !pass_over)
			nft_dict_refuse(b, err, attr, &extack);
		if (++b->index % NFT_DICT_RUN == 0)
			cond_resched();
	}
	return nft_dict_answer(b);
}

int nft_dict_row_put_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_batch b;
	int err;

	err = nft_dict_batch_start(&b, info);
	if (err)
		return err;
	err = nft_dict_batch_bind(&b);
	if (!err)
		err = nft_dict_batch_run(&b, false, nft_dict_batch_put);
	nft_dict_batch_end(&b);
	return err;
}

int nft_dict_row_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_batch b;
	int err;

	err = nft_dict_batch_start(&b, info);
	if (err)
		return err;
	err = -ENOMEM;
	b.request->sum = kmalloc_array(NFT_DICT_MAX_FIELDS, sizeof(*b.request->sum), GFP_KERNEL);
	if (b.request->sum)
		err = nft_dict_batch_bind(&b);
	if (!err)
		err = nft_dict_batch_run(&b, false, nft_dict_batch_add);
	nft_dict_batch_end(&b);
	return err;
}

int nft_dict_row_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_batch b;
	int err;

	err = nft_dict_batch_start(&b, info);
	if (err)
		return err;
	err = nft_dict_batch_run(&b, false, nft_dict_batch_delete);
	nft_dict_batch_end(&b);
	return err;
}

int nft_dict_row_renew_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_batch b;
	int err;

	err = nft_dict_batch_start(&b, info);
	if (err)
		return err;
	err = nft_dict_batch_run(&b, true, nft_dict_batch_renew);
	nft_dict_batch_end(&b);
	return err;
}

int nft_dict_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_batch b;
	int err;

	err = nft_dict_batch_start(&b, info);
	if (err)
		return err;
	b.count = nft_dict_table_end_rows(b.t, NFT_DICT_END_DELETE);
	err = nft_dict_answer(&b);
	nft_dict_batch_end(&b);
	return err;
}

/* Go through the rows asked for, and measure them or, with @skb, fill them in. */
static int nft_dict_batch_get(struct nft_dict_batch *b, struct sk_buff *skb, size_t *bytes)
{
	const struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, b->info->nlhdr, GENL_HDRLEN, rem) {
		struct nft_dict_row *row;

		if (!nft_dict_is_row(attr))
			continue;
		err = nft_dict_row_parse(b->t, b->request, attr, NFT_DICT_FOR_KEY,
					 b->info->extack);
		if (err)
			return err;
		rcu_read_lock();
		row = nft_dict_row_seek(b->t, &b->request->key.key);
		if (row == ERR_PTR(-ENOTUNIQ)) {
			rcu_read_unlock();
			NL_SET_ERR_MSG_ATTR(b->info->extack, attr,
					    "two live conntrack entries have this id");
			return -ENOTUNIQ;
		}
		if (!IS_ERR(row) && nft_dict_row_shown(row)) {
			if (!skb)
				*bytes += nft_dict_row_bytes(row);
			else if (nft_dict_row_fill(skb, row))
				err = -EAGAIN;
		}
		rcu_read_unlock();
		if (err)
			return err;
		if (!skb && *bytes > NFT_DICT_MAX_REPLY) {
			NL_SET_ERR_MSG_ATTR(b->info->extack, attr,
					    "rows are too many for one reply");
			return -E2BIG;
		}
	}
	return 0;
}

int nft_dict_row_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_batch b;
	struct sk_buff *reply;
	int err, tries;
	void *head;

	err = nft_dict_batch_start(&b, info);
	if (err)
		return err;
	/* Rules may write rows while this reads; a row that has grown since it was
	 * measured means another try, with more room.
	 */
	for (tries = 1; tries < 10; tries++) {
		size_t bytes = 0;

		err = nft_dict_batch_get(&b, NULL, &bytes);
		if (err)
			break;
		err = -ENOMEM;
		reply = nft_dict_reply(&b, bytes * tries, NFT_DICT_CMD_ROW_GET, &head);
		if (!reply)
			break;
		err = nft_dict_batch_get(&b, reply, NULL);
		if (!err) {
			genlmsg_end(reply, head);
			err = genlmsg_reply(reply, info);
			break;
		}
		nlmsg_free(reply);
		if (err != -EAGAIN)
			break;
	}
	nft_dict_batch_end(&b);
	return err;
}
