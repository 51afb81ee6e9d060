// SPDX-License-Identifier: GPL-2.0-only
/* Lookups of rules: how they are done for a packet, and how they are loaded. */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>

#include "compat.h"
#include "find.h"
#include "lookup.h"
#include "nft_dict.h"

/* Make a key of bytes, which are @len and at least 1. */
static void nft_dict_key_set(struct nft_dict_key *key, const void *data, unsigned int len)
{
	key->len = len;
	key->data[(len - 1) / sizeof(u32)] = 0;
	memcpy(key->data, data, len);
}

/* Make a key of what is in registers: whole words, but for the end of the last. */
static inline void nft_dict_key_load(struct nft_dict_key *key, const u32 *reg, unsigned int len)
{
	unsigned int i, rest = len % sizeof(u32);

	key->len = len;
	for (i = 0; i < len / sizeof(u32); i++)
		key->data[i] = reg[i];
	if (rest)
		key->data[i] = reg[i] & (__force u32)cpu_to_le32(BIT(8 * rest) - 1);
}

/* Make a key of a value; false if it can be none. */
static bool nft_dict_key_of_value(struct nft_dict_key *key, const struct nft_dict_value *v)
{
	s64 n;

	switch (v->type) {
	case NFT_DICT_TYPE_INT:
	case NFT_DICT_TYPE_INT64:
		n = nft_dict_value_number(v);
		if (n < 0 || n > U32_MAX)
			return false;
		key->len = sizeof(u32);
		key->data[0] = n;
		return true;
	}
	if (!v->len)
		return false;
	nft_dict_key_set(key, v->data, v->len);
	return true;
}

/* nft_dict_lookup_key - the key of the row that a packet asks for; false if it
 * has none. @key has room for any.
 */
bool nft_dict_lookup_key(const struct nft_dict_lookup *l, const struct nft_regs *regs,
			 const struct nft_pktinfo *pkt, struct nft_dict_key *key)
{
	struct nft_dict_value v;
	const struct nf_conn *ct;
	unsigned int len;

	switch (l->source) {
	case NFT_DICT_KEY_FROM_WORD:
		key->len = sizeof(u32);
		key->data[0] = regs->data[l->sreg];
		return true;
	case NFT_DICT_KEY_FROM_CT:
		ct = nft_dict_packet_ct(pkt);
		if (!ct)
			return false;
		key->len = sizeof(u32);
		key->data[0] = nft_dict_ct_id(ct);
		return true;
	case NFT_DICT_KEY_FROM_ENTRY:
		ct = nft_dict_packet_ct(pkt);
		if (!ct)
			return false;
		nft_dict_ct_key(key, ct);
		return true;
	case NFT_DICT_KEY_FROM_LOOKUP:
		return nft_dict_lookup_value(l->nested, regs, pkt, &v) &&
		       nft_dict_key_of_value(key, &v);
	}
	len = l->len;
	if (l->string)
		len = strnlen((const char *)&regs->data[l->sreg], len);
	if (!len)
		return false;
	nft_dict_key_load(key, &regs->data[l->sreg], len);
	return true;
}

/* nft_dict_lookup_any - nft_dict_lookup_row for keys of any kind. */
struct nft_dict_row *nft_dict_lookup_any(const struct nft_dict_lookup *l,
					 const struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	union nft_dict_any_key any NFT_DICT_UNINITIALIZED;

	if (!nft_dict_lookup_key(l, regs, pkt, &any.key))
		return ERR_PTR(-ENOKEY);
	return nft_dict_row_meet(l->table, &any.key);
}

/* nft_dict_lookup_value - look up what a packet asks for. Under RCU, as long as
 * the value is used.
 */
bool nft_dict_lookup_value(const struct nft_dict_lookup *l, const struct nft_regs *regs,
			   const struct nft_pktinfo *pkt, struct nft_dict_value *v)
{
	const struct nft_dict_row *row = nft_dict_lookup_row(l, regs, pkt);

	return !IS_ERR(row) && nft_dict_lookup_cell(l, row, v);
}

static const struct nla_policy nft_dict_lookup_policy[NFTA_DICT_LOOKUP_MAX + 1] = {
	[NFTA_DICT_LOOKUP_TABLE]  = { .type = NLA_NUL_STRING, .len = NFT_DICT_MAX_NAME },
	[NFTA_DICT_LOOKUP_FIELD]  = { .type = NLA_NUL_STRING, .len = NFT_DICT_MAX_NAME },
	[NFTA_DICT_LOOKUP_TYPE]	  = { .type = NLA_U32 },
	[NFTA_DICT_LOOKUP_SREG]	  = { .type = NLA_U32 },
	[NFTA_DICT_LOOKUP_CT]	  = { .type = NLA_FLAG },
	[NFTA_DICT_LOOKUP_NESTED] = { .type = NLA_NESTED },
	[NFTA_DICT_LOOKUP_LEN]	  = { .type = NLA_U32 },
};

/* Whether a register with @len bytes can hold a key of @type. */
static bool nft_dict_key_fits_reg(u8 type, u32 len)
{
	switch (type) {
	case NFT_DICT_KEY_IPV4:
	case NFT_DICT_KEY_MARK:
	case NFT_DICT_KEY_INT:
		return len == 4;
	case NFT_DICT_KEY_IPV6:
		return len == 16;
	case NFT_DICT_KEY_ADDRESS:
		return len == 4 || len == 16;
	case NFT_DICT_KEY_ETHER:
		return len == 6;
	case NFT_DICT_KEY_STRING:
		return len && len <= NFT_REG_SIZE * 4;
	}
	return false; /* the id of an entry is not put into registers */
}

/* Whether a value of @type can be a key of type @key. */
static bool nft_dict_key_fits_type(u8 key, u8 type)
{
	switch (key) {
	case NFT_DICT_KEY_IPV4:
		return type == NFT_DICT_TYPE_IPV4;
	case NFT_DICT_KEY_IPV6:
		return type == NFT_DICT_TYPE_IPV6;
	case NFT_DICT_KEY_ADDRESS:
		return type == NFT_DICT_TYPE_IPV4 || type == NFT_DICT_TYPE_IPV6 ||
		       type == NFT_DICT_TYPE_ADDRESS;
	case NFT_DICT_KEY_ETHER:
		return type == NFT_DICT_TYPE_ETHER;
	case NFT_DICT_KEY_MARK:
	case NFT_DICT_KEY_INT:
		return type == NFT_DICT_TYPE_INT || type == NFT_DICT_TYPE_INT64;
	case NFT_DICT_KEY_STRING:
		return type == NFT_DICT_TYPE_STRING;
	}
	return false;
}

/* Whether a field of type @field can yield values of @type. */
static bool nft_dict_field_yields(u8 field, u8 type)
{
	return field == type || (nft_dict_type_mask(field) & nft_dict_type_mask(type));
}

static int nft_dict_lookup_table(const struct nft_ctx *ctx, struct nft_dict_lookup *l,
				 const struct nlattr *attr)
{
	struct nft_dict_net *dn = nft_dict_pernet(ctx->net);
	char name[NFT_DICT_MAX_NAME + 1];

	lockdep_assert_held(&dn->mutex);

	if (!attr || !nft_dict_name_copy(name, nla_data(attr), strlen(nla_data(attr))))
		return -EINVAL;
	l->table = nft_dict_table_get(dn, name);
	if (!l->table)
		return -ENOENT;
	atomic_inc(&l->table->users);
	l->used = true;
	return 0;
}

static int nft_dict_lookup_field(struct nft_dict_lookup *l, struct nlattr **tb)
{
	struct nft_dict_table *t = l->table;
	char name[NFT_DICT_MAX_NAME + 1];
	const struct nft_dict_field *f;
	u32 type = 0;
	int i;

	if (!nft_dict_name_copy(name, nla_data(tb[NFTA_DICT_LOOKUP_FIELD]),
				strlen(nla_data(tb[NFTA_DICT_LOOKUP_FIELD]))))
		return -EINVAL;
	if (tb[NFTA_DICT_LOOKUP_TYPE]) {
		type = ntohl(nla_get_be32(tb[NFTA_DICT_LOOKUP_TYPE]));
		if (!type || type > NFT_DICT_TYPE_STRING)
			return -EINVAL;
	}
	i = nft_dict_open(t) ? nft_dict_field_open(t, name) : nft_dict_field_index(t, name);
	if (i < 0)
		return nft_dict_open(t) ? i : -ENODATA;
	f = t->fields[i];
	if (type && f->type && !nft_dict_field_yields(f->type, type))
		return -EPROTOTYPE;
	l->field = i;
	l->type = type;
	l->mask = type ? nft_dict_type_mask(type) : U16_MAX;
	/* A default of the other family answers none who asks for this one. */
	if (type && l->mask & BIT(f->def.type))
		l->def = f->def;
	return 0;
}

static bool nft_dict_lookup_of_ct(const struct nft_dict_lookup *l)
{
	return l->source == NFT_DICT_KEY_FROM_CT || l->source == NFT_DICT_KEY_FROM_ENTRY;
}

static int nft_dict_lookup_source(const struct nft_ctx *ctx, struct nft_dict_lookup *l,
				  struct nlattr **tb)
{
	const struct nlattr *sreg = tb[NFTA_DICT_LOOKUP_SREG];
	u32 len;

	if (!!sreg + !!tb[NFTA_DICT_LOOKUP_CT] + !!tb[NFTA_DICT_LOOKUP_NESTED] != 1 ||
	    !sreg != !tb[NFTA_DICT_LOOKUP_LEN])
		return -EINVAL;
	if (tb[NFTA_DICT_LOOKUP_NESTED]) {
		l->source = NFT_DICT_KEY_FROM_LOOKUP;
		if (!nft_dict_key_fits_type(l->table->key_type, l->nested->type))
			return -EKEYREJECTED;
		return 0;
	}
	if (tb[NFTA_DICT_LOOKUP_CT]) {
		if (l->table->key_type != NFT_DICT_KEY_CT_ID)
			return -EKEYREJECTED;
		if (ctx->family == NFPROTO_NETDEV || ctx->family == NFPROTO_ARP)
			return -EOPNOTSUPP;
		l->source = nft_dict_bound(l->table) ? NFT_DICT_KEY_FROM_ENTRY :
						       NFT_DICT_KEY_FROM_CT;
		return 0;
	}
	len = ntohl(nla_get_be32(tb[NFTA_DICT_LOOKUP_LEN]));
	if (!nft_dict_key_fits_reg(l->table->key_type, len))
		return -EKEYREJECTED;
	l->len = len;
	l->string = l->table->key_type == NFT_DICT_KEY_STRING;
	l->source = len == sizeof(u32) && !l->string ? NFT_DICT_KEY_FROM_WORD :
						       NFT_DICT_KEY_FROM_REG;
	return nft_dict_register_load(ctx, sreg, &l->sreg, len);
}

static struct nft_dict_lookup *nft_dict_lookup_parse(const struct nft_ctx *ctx,
						     const struct nlattr *nest, bool field,
						     unsigned int depth)
{
	struct nlattr *tb[NFTA_DICT_LOOKUP_MAX + 1];
	struct nft_dict_lookup *l;
	int err;

	if (depth > NFT_DICT_MAX_DEPTH)
		return ERR_PTR(-E2BIG);
	err = nla_parse_nested(tb, NFTA_DICT_LOOKUP_MAX, nest, nft_dict_lookup_policy, NULL);
	if (err)
		return ERR_PTR(err);
	if (!tb[NFTA_DICT_LOOKUP_FIELD] == field || (tb[NFTA_DICT_LOOKUP_TYPE] && !field))
		return ERR_PTR(-EINVAL);
	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return ERR_PTR(-ENOMEM);
	if (tb[NFTA_DICT_LOOKUP_NESTED]) {
		l->nested = nft_dict_lookup_parse(ctx, tb[NFTA_DICT_LOOKUP_NESTED], true,
						  depth + 1);
		if (IS_ERR(l->nested)) {
			err = PTR_ERR(l->nested);
			l->nested = NULL;
			goto err;
		}
	}
	err = nft_dict_lookup_table(ctx, l, tb[NFTA_DICT_LOOKUP_TABLE]);
	if (!err && field)
		err = nft_dict_lookup_field(l, tb);
	if (!err)
		err = nft_dict_lookup_source(ctx, l, tb);
	/* Conntrack has to be at work for its entries to be found. */
	if (!err && nft_dict_lookup_of_ct(l)) {
		err = nf_ct_netns_get(ctx->net, ctx->family);
		if (err)
			l->source = NFT_DICT_KEY_FROM_REG;
	}
	if (!err)
		return l;
err:
	nft_dict_lookup_free(ctx, l);
	return ERR_PTR(err);
}

/* nft_dict_lookup_new - load a lookup, with a field or without. The errors are
 * those of the expression, see nft_dict_uapi.h.
 */
struct nft_dict_lookup *nft_dict_lookup_new(const struct nft_ctx *ctx, const struct nlattr *nest,
					    bool field)
{
	struct nft_dict_net *dn = nft_dict_pernet(ctx->net);
	struct nft_dict_lookup *l;

	if (!nest)
		return ERR_PTR(-EINVAL);
	mutex_lock(&dn->mutex);
	l = nft_dict_lookup_parse(ctx, nest, field, 1);
	mutex_unlock(&dn->mutex);
	return l;
}

/* nft_dict_lookup_unuse - the rule is deleted, though packets may still be at
 * it: its tables can be deleted, too.
 */
void nft_dict_lookup_unuse(struct nft_dict_lookup *l)
{
	for (; l; l = l->nested) {
		if (!l->used)
			continue;
		l->used = false;
		atomic_dec(&l->table->users);
	}
}

/* nft_dict_lookup_free - free a lookup, NULL for none, that no packet is at. */
void nft_dict_lookup_free(const struct nft_ctx *ctx, struct nft_dict_lookup *l)
{
	nft_dict_lookup_unuse(l);
	while (l) {
		struct nft_dict_lookup *nested = l->nested;

		if (nft_dict_lookup_of_ct(l))
			nf_ct_netns_put(ctx->net, ctx->family);
		if (l->table)
			nft_dict_table_put(l->table);
		kfree(l);
		l = nested;
	}
}
