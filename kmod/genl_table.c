// SPDX-License-Identifier: GPL-2.0-only
/* The commands for tables. */
#include <linux/slab.h>

#include "compat.h"
#include "genl.h"
#include "nft_dict.h"

/* nft_dict_name_parse - read a name in canonical form. */
bool nft_dict_name_parse(char *name, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (nft_dict_name_copy(name, nla_data(attr), strnlen(nla_data(attr), nla_len(attr))))
		return true;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "name is not a letter, then letters, digits, '_', '-' or '.', at most 63");
	return false;
}

/* nft_dict_table_of - take a reference to the table that a message names:
 * -ENOENT, or -ESTALE if another bears the name now.
 */
struct nft_dict_table *nft_dict_table_of(struct nft_dict_net *dn, struct nlattr **attrs,
					 struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = attrs[NFT_DICT_A_TABLE];
	char name[NFT_DICT_MAX_NAME + 1];
	struct nft_dict_table *t = NULL;

	if (!attr) {
		NL_SET_ERR_ATTR_MISS(extack, NULL, NFT_DICT_A_TABLE);
		NL_SET_ERR_MSG(extack, "no table is named");
		return ERR_PTR(-EINVAL);
	}
	/* What cannot be a table's name is not there either. */
	if (nft_dict_name_copy(name, nla_data(attr), strnlen(nla_data(attr), nla_len(attr))))
		t = nft_dict_table_get(dn, name);
	if (!t) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "table does not exist");
		return ERR_PTR(-ENOENT);
	}
	attr = attrs[NFT_DICT_A_TABLE_ID];
	if (attr && nla_get_u32(attr) != t->id) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "another table bears the name now");
		nft_dict_table_put(t);
		return ERR_PTR(-ESTALE);
	}
	return t;
}

static const struct nla_policy nft_dict_field_policy[NFT_DICT_FIELD_MAX + 1] = {
	[NFT_DICT_FIELD_NAME]	 = { .type = NLA_NUL_STRING, .len = NFT_DICT_MAX_NAME },
	[NFT_DICT_FIELD_TYPE]	 = NLA_POLICY_RANGE(NLA_U32, NFT_DICT_TYPE_BOOL,
						    NFT_DICT_TYPE_STRING),
	[NFT_DICT_FIELD_DEFAULT] = { .type = NLA_NESTED },
	[NFT_DICT_FIELD_ALIAS]	 = { .type = NLA_NUL_STRING, .len = NFT_DICT_MAX_NAME },
};

static int nft_dict_field_names(struct nft_dict_field *f, const struct nlattr *nest,
				struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	unsigned int n = 1;
	int rem;

	nla_for_each_nested(attr, nest, rem) {
		char *to;

		if (nla_type(attr) == NFT_DICT_FIELD_NAME)
			to = f->name[0];
		else if (nla_type(attr) == NFT_DICT_FIELD_ALIAS)
			to = f->name[n++];
		else
			continue;
		if (!nft_dict_name_parse(to, attr, extack))
			return -EINVAL;
	}
	return 0;
}

static int nft_dict_field_default(struct nft_dict_field *f, const struct nlattr *nest,
				  struct netlink_ext_ack *extack)
{
	s64 wide;
	int err;

	err = nft_dict_value_only(&f->def, nest, extack);
	if (err)
		return err;
	err = nft_dict_value_fit(&f->def, f->type, &wide);
	if (err) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "default is not of the field's type");
		return err;
	}
	memcpy(f->bytes, f->def.data, f->def.len);
	f->def.data = f->bytes;
	return 0;
}

static struct nft_dict_field *nft_dict_field_parse(const struct nft_dict_table *t,
						   const struct nlattr *nest,
						   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFT_DICT_FIELD_MAX + 1];
	unsigned int names = 0;
	struct nft_dict_field *f;
	const struct nlattr *attr;
	int rem, err;

	err = nla_parse_nested(tb, NFT_DICT_FIELD_MAX, nest, nft_dict_field_policy, extack);
	if (err)
		return ERR_PTR(err);
	if (!tb[NFT_DICT_FIELD_NAME]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "field has no name");
		return ERR_PTR(-EINVAL);
	}
	if (nft_dict_open(t) && (tb[NFT_DICT_FIELD_TYPE] || tb[NFT_DICT_FIELD_DEFAULT])) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "an open table declares no types and defaults");
		return ERR_PTR(-EINVAL);
	}
	if (!nft_dict_open(t) && !tb[NFT_DICT_FIELD_TYPE]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "field has no type");
		return ERR_PTR(-EINVAL);
	}
	nla_for_each_nested(attr, nest, rem)
		names += nla_type(attr) == NFT_DICT_FIELD_ALIAS;
	if (names > NFT_DICT_MAX_ALIASES) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "field has more than 8 aliases");
		return ERR_PTR(-EFBIG);
	}
	f = nft_dict_field_alloc(1 + names);
	if (!f) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "out of memory");
		return ERR_PTR(-ENOMEM);
	}
	if (tb[NFT_DICT_FIELD_TYPE])
		f->type = nla_get_u32(tb[NFT_DICT_FIELD_TYPE]);
	err = nft_dict_field_names(f, nest, extack);
	if (!err && tb[NFT_DICT_FIELD_DEFAULT])
		err = nft_dict_field_default(f, tb[NFT_DICT_FIELD_DEFAULT], extack);
	if (err) {
		kfree(f);
		return ERR_PTR(err);
	}
	return f;
}

/* Whether a field could be added to a table, which it is not yet. */
static int nft_dict_field_check(const struct nft_dict_table *t, const struct nft_dict_field *f,
				unsigned int before)
{
	int i;

	for (i = 0; i < f->names; i++)
		if (nft_dict_field_index(t, f->name[i]) >= 0)
			return -EEXIST;
	return t->nfields + before < NFT_DICT_MAX_FIELDS ? 0 : -EFBIG;
}

/* Read all fields of a message and add them to @t, which nobody else sees. They
 * have to be such that they can be added to @have, too.
 */
static int nft_dict_fields_parse(struct nft_dict_table *t, const struct nft_dict_table *have,
				 const struct genl_info *info)
{
	const struct nlattr *attr;
	struct nft_dict_field *f;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != NFT_DICT_A_FIELD)
			continue;
		f = nft_dict_field_parse(t, attr, info->extack);
		if (IS_ERR(f))
			return PTR_ERR(f);
		err = have ? nft_dict_field_check(have, f, t->nfields) : 0;
		if (!err)
			err = nft_dict_field_add(t, f);
		if (!err)
			continue;
		kfree(f);
		if (err == -EEXIST)
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "name of a field exists already");
		else
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "table would have more than 256 fields");
		return err;
	}
	return 0;
}

int nft_dict_table_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_net *dn = nft_dict_pernet(genl_info_net(info));
	u32 timeout = 0, flags = 0, limit, key_type;
	char name[NFT_DICT_MAX_NAME + 1];
	struct nlattr **attrs = info->attrs;
	struct nft_dict_table *t;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, NFT_DICT_A_TABLE) ||
	    GENL_REQ_ATTR_CHECK(info, NFT_DICT_A_KEY_TYPE) ||
	    GENL_REQ_ATTR_CHECK(info, NFT_DICT_A_LIMIT)) {
		NL_SET_ERR_MSG(info->extack, "a table needs a name, a key type and a limit");
		return -EINVAL;
	}
	if (!nft_dict_name_parse(name, attrs[NFT_DICT_A_TABLE], info->extack))
		return -EINVAL;
	key_type = nla_get_u32(attrs[NFT_DICT_A_KEY_TYPE]);
	limit = nla_get_u32(attrs[NFT_DICT_A_LIMIT]);
	if (attrs[NFT_DICT_A_TIMEOUT])
		timeout = nla_get_u32(attrs[NFT_DICT_A_TIMEOUT]);
	if (attrs[NFT_DICT_A_FLAGS])
		flags = nla_get_u32(attrs[NFT_DICT_A_FLAGS]);
	if (limit > S32_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFT_DICT_A_LIMIT], "limit is too high");
		return -ERANGE;
	}
	if (timeout > NFT_DICT_MAX_TTL) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFT_DICT_A_TIMEOUT],
				    "timeout is longer than 365 days");
		return -ERANGE;
	}
	if (flags & NFT_DICT_TABLE_BOUND && key_type != NFT_DICT_KEY_CT_ID) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFT_DICT_A_FLAGS],
				    "only a table with conntrack ids for keys can be bound");
		return -EINVAL;
	}

	t = nft_dict_table_new(dn, name, key_type, limit, timeout, flags);
	if (IS_ERR(t)) {
		NL_SET_ERR_MSG(info->extack, "out of memory");
		return PTR_ERR(t);
	}
	err = nft_dict_fields_parse(t, NULL, info);
	if (err)
		goto err_put;
	mutex_lock(&dn->mutex);
	err = nft_dict_table_add(t);
	mutex_unlock(&dn->mutex);
	if (err) {
		if (err == -EEXIST)
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFT_DICT_A_TABLE],
					    "table exists already");
		else if (err == -EFBIG)
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFT_DICT_A_TABLE],
					    "the namespace has 1024 tables");
		else
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFT_DICT_A_TABLE],
					    "the namespace had 4294967295 tables");
		goto err_put;
	}
	return 0;

err_put:
	nft_dict_table_put(t);
	return err;
}

int nft_dict_table_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_net *dn = nft_dict_pernet(genl_info_net(info));
	struct nft_dict_table *t;
	int err;

	mutex_lock(&dn->mutex);
	t = nft_dict_table_of(dn, info->attrs, info->extack);
	if (IS_ERR(t)) {
		err = PTR_ERR(t);
		goto out;
	}
	err = nft_dict_table_delete(t);
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFT_DICT_A_TABLE],
				    "a rule uses the table");
	nft_dict_table_put(t);
out:
	mutex_unlock(&dn->mutex);
	return err;
}

int nft_dict_table_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_net *dn = nft_dict_pernet(genl_info_net(info));
	struct nft_dict_table *t;
	struct sk_buff *reply;
	int err = -ENOMEM;
	void *head;

	t = nft_dict_table_of(dn, info->attrs, info->extack);
	if (IS_ERR(t))
		return PTR_ERR(t);
	/* The figures are to be of rows alive. */
	if (READ_ONCE(t->timed))
		nft_dict_table_end_rows(t, NFT_DICT_END_DUE);
	reply = genlmsg_new(nft_dict_table_bytes(t), GFP_KERNEL);
	if (!reply)
		goto out;
	err = -EMSGSIZE;
	head = genlmsg_put_reply(reply, info, &nft_dict_family, 0, NFT_DICT_CMD_TABLE_GET);
	if (!head || nft_dict_table_fill(reply, t)) {
		nlmsg_free(reply);
		goto out;
	}
	genlmsg_end(reply, head);
	err = genlmsg_reply(reply, info);
out:
	nft_dict_table_put(t);
	return err;
}

int nft_dict_table_get_start(struct netlink_callback *cb)
{
	struct nft_dict_net *dn = nft_dict_pernet(sock_net(cb->skb->sk));
	struct nft_dict_table *t;
	size_t most = 0;

	/* The largest table has to go into one message. */
	rcu_read_lock();
	list_for_each_entry_rcu(t, &dn->tables, list)
		most = max(most, nft_dict_table_bytes(t));
	rcu_read_unlock();
	cb->min_dump_alloc = most + NLMSG_ALIGN(NLMSG_HDRLEN + GENL_HDRLEN);
	return 0;
}

/* cb->args[0] is the id of the table told last. */
int nft_dict_table_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nft_dict_net *dn = nft_dict_pernet(sock_net(skb->sk));
	struct nft_dict_table *t;

	cb->seq = READ_ONCE(dn->changes);
	while ((t = nft_dict_table_after(dn, cb->args[0]))) {
		void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					 &nft_dict_family, NLM_F_MULTI, NFT_DICT_CMD_TABLE_GET);

		if (!head || nft_dict_table_fill(skb, t)) {
			if (head)
				genlmsg_cancel(skb, head);
			nft_dict_table_put(t);
			return skb->len ? skb->len : -EMSGSIZE;
		}
		genl_dump_check_consistent(cb, head);
		genlmsg_end(skb, head);
		cb->args[0] = t->id;
		nft_dict_table_put(t);
	}
	return skb->len;
}

int nft_dict_field_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nft_dict_net *dn = nft_dict_pernet(genl_info_net(info));
	struct nft_dict_table *t, *draft;
	unsigned int i;
	int err = 0;

	mutex_lock(&dn->mutex);
	t = nft_dict_table_of(dn, info->attrs, info->extack);
	if (IS_ERR(t)) {
		err = PTR_ERR(t);
		goto out;
	}
	/* All or none: they are put together in a table that nobody sees. */
	draft = nft_dict_table_new(dn, t->name, t->key_type, t->limit, 0,
				   t->flags & ~NFT_DICT_TABLE_BOUND);
	if (IS_ERR(draft)) {
		err = PTR_ERR(draft);
		NL_SET_ERR_MSG(info->extack, "out of memory");
		goto put;
	}
	err = nft_dict_fields_parse(draft, t, info);
	if (err)
		goto put_draft;
	for (i = 0; !err && i < draft->nfields; i++)
		err = nft_dict_field_add(t, draft->fields[i]);
	WRITE_ONCE(dn->changes, dn->changes + 1);
	if (draft->nfields)
		nft_dict_notify_table(t, NFT_DICT_CMD_TABLE_NTF);
	draft->nfields = 0; /* they are the table's now */
put_draft:
	nft_dict_table_put(draft);
put:
	nft_dict_table_put(t);
out:
	mutex_unlock(&dn->mutex);
	return err;
}
