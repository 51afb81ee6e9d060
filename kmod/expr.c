// SPDX-License-Identifier: GPL-2.0-only
/* The expression "dict" of nf_tables; nft_dict_uapi.h describes it. */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>

#include "compat.h"
#include "count.h"
#include "find.h"
#include "flow.h"
#include "lookup.h"
#include "nft_dict.h"

/* Attributes as they were given, to be dumped as they are. */
struct nft_dict_given {
	unsigned int	len;
	u32		data[];
};

/* What every form begins with. */
struct nft_dict_expr {
	struct nft_dict_lookup		*lookup;
	struct nft_dict_given		*given;
	struct nft_dict_flowtable	*flowtable; /* of the same rule, or NULL */
};

struct nft_dict_load {
	struct nft_dict_expr	expr;
	u8			dreg;
	u8			len;
};

/* Values from one to another; a glob or a string has no order. */
struct nft_dict_item {
	struct nft_dict_value	lo;	/* points into what was given */
	struct nft_dict_value	hi;
	s64			low;	/* their numbers */
	s64			high;
	struct nft_dict_glob	*glob;
};

struct nft_dict_match {
	struct nft_dict_expr	expr;
	struct nft_dict_item	*items;
	u8			count;
	u8			cmp;
};

enum nft_dict_origin {
	NFT_DICT_FROM_VALUE,
	NFT_DICT_FROM_REG,
	NFT_DICT_FROM_LOOKUP,
	NFT_DICT_FROM_LENGTH,	/* the packet's */
};

struct nft_dict_write {
	struct nft_dict_expr	expr;
	struct nft_dict_lookup	*source;
	struct nft_dict_value	value;	/* points into what was given */
	s64			number;	/* its number */
	u8			op;
	u8			origin;
	u8			sreg;
	u8			len;
};

/* Into fewer bytes than it has a number fits only without a sign. */
static bool nft_dict_load_number(u32 *dest, unsigned int len, const struct nft_dict_value *v)
{
	s64 n = nft_dict_value_number(v);
	u32 word = n;
	u16 half = n;

	switch (len) {
	case sizeof(half):
		memcpy(dest, &half, len);
		return n == half;
	case sizeof(word):
		memcpy(dest, &word, len);
		return n == word || v->type == NFT_DICT_TYPE_INT;
	}
	memcpy(dest, &n, len);
	return true;
}

static void nft_dict_load_eval(const struct nft_expr *expr, struct nft_regs *regs,
			       const struct nft_pktinfo *pkt)
{
	const struct nft_dict_load *priv = nft_expr_priv(expr);
	u32 *dest = &regs->data[priv->dreg];
	struct nft_dict_value v;

	if (!nft_dict_lookup_value(priv->expr.lookup, regs, pkt, &v))
		goto mismatch;
	memset(dest, 0, round_up(priv->len, sizeof(u32)));
	switch (v.type) {
	case NFT_DICT_TYPE_INT:
	case NFT_DICT_TYPE_INT64:
		if (!nft_dict_load_number(dest, priv->len, &v))
			goto mismatch;
		return;
	case NFT_DICT_TYPE_STRING:
		memcpy(dest, v.data, min(v.len, priv->len));
		/* No text has this byte: it equals none, neither by chance. */
		if (v.len > priv->len)
			((u8 *)dest)[priv->len - 1] = 0xff;
		return;
	}
	/* What rules count with or set in place is read by one load. */
	if (v.type == NFT_DICT_TYPE_IPV4)
		memcpy(dest, v.data, sizeof(u32));
	else
		memcpy(dest, v.data, v.len);
	return;
mismatch:
	regs->verdict.code = NFT_BREAK;
}

static inline bool nft_dict_item_has(const struct nft_dict_item *item,
				     const struct nft_dict_value *v)
{
	s64 n;

	if (v->type == NFT_DICT_TYPE_STRING)
		return item->glob ? nft_dict_glob_match(item->glob, v->data, v->len) :
				    nft_dict_value_equal(&item->lo, v);
	if (v->type == NFT_DICT_TYPE_IPV6)
		return memcmp(item->lo.data, v->data, v->len) <= 0 &&
		       memcmp(v->data, item->hi.data, v->len) <= 0;
	n = nft_dict_value_read(v);
	return item->low <= n && n <= item->high;
}

/* How a value compares with that of an item, as memcmp does. */
static int nft_dict_item_order(const struct nft_dict_item *item, const struct nft_dict_value *v)
{
	s64 n;

	if (v->type == NFT_DICT_TYPE_IPV6)
		return memcmp(v->data, item->lo.data, v->len);
	n = nft_dict_value_number(v);
	return n < item->low ? -1 : n > item->low;
}

static noinline bool nft_dict_match_order(const struct nft_dict_match *priv,
					  const struct nft_dict_value *v)
{
	int order = nft_dict_item_order(priv->items, v);

	switch (priv->cmp) {
	case NFT_DICT_LT:
		return order < 0;
	case NFT_DICT_LE:
		return order <= 0;
	case NFT_DICT_GT:
		return order > 0;
	}
	return order >= 0;
}

static inline bool nft_dict_match_holds(const struct nft_dict_match *priv,
					const struct nft_dict_value *v)
{
	unsigned int i;

	if (priv->cmp > NFT_DICT_NE)
		return priv->cmp == NFT_DICT_EXISTS || nft_dict_match_order(priv, v);
	for (i = 0; i < priv->count; i++)
		if (nft_dict_item_has(&priv->items[i], v))
			return priv->cmp == NFT_DICT_EQ;
	return priv->cmp == NFT_DICT_NE;
}

static void nft_dict_match_eval(const struct nft_expr *expr, struct nft_regs *regs,
				const struct nft_pktinfo *pkt)
{
	const struct nft_dict_match *priv = nft_expr_priv(expr);
	const struct nft_dict_row *row = nft_dict_lookup_row(priv->expr.lookup, regs, pkt);
	struct nft_dict_value v NFT_DICT_UNINITIALIZED;

	/* Without a key nothing holds, not even that the field is missing. */
	if (IS_ERR(row))
		goto mismatch;
	if (!nft_dict_lookup_cell(priv->expr.lookup, row, &v)) {
		if (priv->cmp == NFT_DICT_MISSING)
			return;
	} else if (priv->cmp != NFT_DICT_MISSING && nft_dict_match_holds(priv, &v)) {
		return;
	}
mismatch:
	regs->verdict.code = NFT_BREAK;
}

/* The value that a statement writes, with @room for its bytes. */
static bool nft_dict_write_value(const struct nft_dict_write *priv, const struct nft_regs *regs,
				 const struct nft_pktinfo *pkt, struct nft_dict_value *v, s64 *room)
{
	u8 type = priv->expr.lookup->type;
	const void *reg;

	switch (priv->origin) {
	case NFT_DICT_FROM_LOOKUP:
		if (!nft_dict_lookup_value(priv->source, regs, pkt, v))
			return false;
		/* To an int an int64 can only be added. */
		return priv->op != NFT_DICT_SET || !nft_dict_value_fit(v, type, room);
	case NFT_DICT_FROM_VALUE:
		*v = priv->value;
		return true;
	case NFT_DICT_FROM_LENGTH:
		*room = pkt->skb->len;
		v->data = room;
		v->type = NFT_DICT_TYPE_INT64;
		v->len = sizeof(*room);
		return true;
	}
	reg = &regs->data[priv->sreg];
	v->data = reg;
	v->type = type;
	v->len = priv->len;
	switch (type) {
	case NFT_DICT_TYPE_INT:
	case NFT_DICT_TYPE_INT64:
		/* 4 bytes are a number without a sign. */
		if (priv->len == sizeof(u32))
			*room = *(const u32 *)reg;
		else
			memcpy(room, reg, sizeof(*room));
		if (type == NFT_DICT_TYPE_INT && priv->op == NFT_DICT_SET) {
			s32 n = min_t(s64, *room, S32_MAX);

			memcpy(room, &n, sizeof(n));
			v->len = sizeof(n);
		} else {
			v->type = NFT_DICT_TYPE_INT64;
			v->len = sizeof(*room);
		}
		v->data = room;
		break;
	case NFT_DICT_TYPE_BOOL:
		*(u8 *)room = !!*(const u8 *)reg;
		v->data = room;
		break;
	case NFT_DICT_TYPE_STRING:
		v->len = strnlen(reg, priv->len);
		return !nft_dict_string_check(reg, v->len);
	}
	return true;
}

static noinline bool nft_dict_lookup_number(const struct nft_dict_lookup *l,
					    const struct nft_regs *regs,
					    const struct nft_pktinfo *pkt, s64 *n)
{
	struct nft_dict_value v;

	if (!nft_dict_lookup_value(l, regs, pkt, &v))
		return false;
	*n = nft_dict_value_number(&v);
	return true;
}

/* The number that is added or subtracted. */
static inline bool nft_dict_write_amount(const struct nft_dict_write *priv,
					 const struct nft_regs *regs,
					 const struct nft_pktinfo *pkt, s64 *n)
{
	switch (priv->origin) {
	case NFT_DICT_FROM_LENGTH:
		*n = pkt->skb->len;
		return true;
	case NFT_DICT_FROM_VALUE:
		*n = priv->number;
		return true;
	case NFT_DICT_FROM_LOOKUP:
		return nft_dict_lookup_number(priv->source, regs, pkt, n);
	}
	/* 4 bytes are a number without a sign. */
	if (priv->len == sizeof(u32))
		*n = regs->data[priv->sreg];
	else
		memcpy(n, &regs->data[priv->sreg], sizeof(*n));
	return true;
}

static noinline void nft_dict_write_eval(const struct nft_expr *expr, struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	const struct nft_dict_write *priv = nft_expr_priv(expr);
	const struct nft_dict_lookup *l = priv->expr.lookup;
	struct nf_conn *ct = nft_dict_packet_ct(pkt);
	struct nft_dict_value v, def = l->def;
	struct nft_dict_row *row;
	union nft_dict_any_key any NFT_DICT_UNINITIALIZED;
	s64 room;

	if (!nft_dict_lookup_key(l, regs, pkt, &any.key))
		return;
	switch (priv->op) {
	case NFT_DICT_FLUSH:
		row = nft_dict_row_meet(l->table, &any.key);
		if (row)
			nft_dict_row_end(l->table, row, NFT_DICT_END_DELETE);
		return;
	case NFT_DICT_ATTACH:
		if (nft_dict_session_attach(l->table, ct, GFP_ATOMIC))
			atomic64_inc(&l->table->refused);
		return;
	}
	if (!nft_dict_write_value(priv, regs, pkt, &v, &room))
		return;
	/* To set a field nothing but the type counts. */
	if (!def.type || priv->op == NFT_DICT_SET) {
		def.type = l->type == NFT_DICT_TYPE_ADDRESS ? v.type : l->type;
		def.data = NULL;
	}
	v.field = l->field;
	nft_dict_row_update(l->table, &any.key, ct, priv->op, &v, &def);
}

/* ADD and SUB where the number is there already, as it is for most packets. */
static void nft_dict_count_eval(const struct nft_expr *expr, struct nft_regs *regs,
				const struct nft_pktinfo *pkt)
{
	const struct nft_dict_write *priv = nft_expr_priv(expr);
	const struct nft_dict_lookup *l = priv->expr.lookup;
	struct nft_dict_row *row = nft_dict_lookup_row(l, regs, pkt);
	s64 n;

	if (IS_ERR(row) || !nft_dict_write_amount(priv, regs, pkt, &n))
		return;
	if (!row || !nft_dict_row_count(l->table, row, l->field, l->type, priv->op, n))
		nft_dict_write_eval(expr, regs, pkt);
}

static const struct nla_policy nft_dict_expr_policy[NFTA_DICT_MAX + 1] = {
	[NFTA_DICT_OP]	   = { .type = NLA_U32 },
	[NFTA_DICT_LOOKUP] = { .type = NLA_NESTED },
	[NFTA_DICT_DREG]   = { .type = NLA_U32 },
	[NFTA_DICT_CMP]	   = { .type = NLA_U32 },
	[NFTA_DICT_ITEMS]  = { .type = NLA_NESTED },
	[NFTA_DICT_VALUE]  = { .type = NLA_NESTED },
	[NFTA_DICT_SREG]   = { .type = NLA_U32 },
	[NFTA_DICT_SOURCE] = { .type = NLA_NESTED },
	[NFTA_DICT_LEN]	   = { .type = NLA_U32 },
	[NFTA_DICT_PACKET] = { .type = NLA_U32 },
	[NFTA_DICT_TEXT]   = { .type = NLA_NUL_STRING, .len = NFT_DICT_MAX_TEXT },
};

static const struct nla_policy nft_dict_item_policy[NFTA_DICT_ITEM_MAX + 1] = {
	[NFTA_DICT_ITEM_LO]	 = { .type = NLA_NESTED },
	[NFTA_DICT_ITEM_HI]	 = { .type = NLA_NESTED },
	[NFTA_DICT_ITEM_TOKENS]	 = { .type = NLA_BINARY },
	[NFTA_DICT_ITEM_CLASSES] = { .type = NLA_BINARY },
};

/*
 * Keep the attributes, and let @tb point to what is kept. None but those in
 * @allowed may be there.
 */
static struct nft_dict_given *nft_dict_given_new(const struct nlattr *tb[], u32 allowed)
{
	struct nft_dict_given *given;
	unsigned int len = 0, i;
	char *to;

	allowed |= BIT(NFTA_DICT_OP) | BIT(NFTA_DICT_LOOKUP) | BIT(NFTA_DICT_TEXT);
	for (i = 1; i <= NFTA_DICT_MAX; i++) {
		if (!tb[i])
			continue;
		if (!(allowed & BIT(i)))
			return ERR_PTR(-EINVAL);
		len += nla_total_size(nla_len(tb[i]));
	}
	if (len > NFT_DICT_MAX_EXPR)
		return ERR_PTR(-E2BIG);
	given = kzalloc(struct_size(given, data, len / sizeof(u32)), GFP_KERNEL_ACCOUNT);
	if (!given)
		return ERR_PTR(-ENOMEM);
	given->len = len;
	to = (char *)given->data;
	for (i = 1; i <= NFTA_DICT_MAX; i++) {
		if (!tb[i])
			continue;
		memcpy(to, tb[i], tb[i]->nla_len);
		tb[i] = (const struct nlattr *)to;
		to += nla_total_size(nla_len(tb[i]));
	}
	return given;
}

static int nft_dict_expr_new(const struct nft_ctx *ctx, struct nft_dict_expr *e,
			     const struct nlattr *tb[], u32 allowed, bool field)
{
	int err;

	e->given = nft_dict_given_new(tb, allowed);
	if (IS_ERR(e->given))
		return PTR_ERR(e->given);
	e->lookup = nft_dict_lookup_new(ctx, tb[NFTA_DICT_LOOKUP], field);
	if (IS_ERR(e->lookup)) {
		err = PTR_ERR(e->lookup);
		goto err_given;
	}
	e->flowtable = nft_dict_flowtable_get(ctx);
	if (IS_ERR(e->flowtable)) {
		err = PTR_ERR(e->flowtable);
		goto err_lookup;
	}
	return 0;

err_lookup:
	nft_dict_lookup_free(ctx, e->lookup);
err_given:
	kfree(e->given);
	return err;
}

static void nft_dict_expr_free(const struct nft_ctx *ctx, struct nft_dict_expr *e)
{
	nft_dict_flowtable_put(ctx, e->flowtable);
	nft_dict_lookup_free(ctx, e->lookup);
	kfree(e->given);
}

/* Whether a register of @len bytes takes values of @type. */
static bool nft_dict_reg_fits(u8 type, u32 len)
{
	switch (type) {
	case NFT_DICT_TYPE_BOOL:
		return len == 1;
	case NFT_DICT_TYPE_INT:
	case NFT_DICT_TYPE_IPV4:
		return len == 4;
	case NFT_DICT_TYPE_INT64:
		return len == 8;
	case NFT_DICT_TYPE_IPV6:
		return len == 16;
	case NFT_DICT_TYPE_ETHER:
		return len == 6;
	case NFT_DICT_TYPE_STRING:
		return len && len <= NFT_REG_SIZE * 4;
	}
	return false;
}

/* Likewise to load: numbers also into wider and narrower ones. */
static bool nft_dict_load_fits(u8 type, u32 len)
{
	if (type == NFT_DICT_TYPE_INT || type == NFT_DICT_TYPE_INT64)
		return len == sizeof(u16) || len == sizeof(u32) || len == sizeof(u64);
	return nft_dict_reg_fits(type, len);
}

static int nft_dict_load_init(const struct nft_ctx *ctx, const struct nft_expr *expr,
			      const struct nlattr * const given_tb[])
{
	struct nft_dict_load *priv = nft_expr_priv(expr);
	const struct nlattr *tb[NFTA_DICT_MAX + 1];
	u32 len;
	int err;

	memcpy(tb, given_tb, sizeof(tb));
	if (!tb[NFTA_DICT_DREG] || !tb[NFTA_DICT_LEN])
		return -EINVAL;
	err = nft_dict_expr_new(ctx, &priv->expr, tb, BIT(NFTA_DICT_DREG) | BIT(NFTA_DICT_LEN),
				true);
	if (err)
		return err;
	len = ntohl(nla_get_be32(tb[NFTA_DICT_LEN]));
	err = -EPROTOTYPE;
	if (!nft_dict_load_fits(priv->expr.lookup->type, len))
		goto err;
	priv->len = len;
	err = nft_parse_register_store(ctx, tb[NFTA_DICT_DREG], &priv->dreg, NULL, NFT_DATA_VALUE,
				       len);
	if (err)
		goto err;
	return 0;
err:
	nft_dict_expr_free(ctx, &priv->expr);
	return err;
}

/* The value of an attribute, which has to be of @type. */
static int nft_dict_const(struct nft_dict_value *v, const struct nlattr *attr, u8 type)
{
	int err = nft_dict_value_only(v, attr, NULL);

	if (err)
		return err;
	return v->type == type ? 0 : -EPROTOTYPE;
}

static bool nft_dict_ordered(u8 type)
{
	return type == NFT_DICT_TYPE_INT || type == NFT_DICT_TYPE_INT64 ||
	       type == NFT_DICT_TYPE_IPV4 || type == NFT_DICT_TYPE_IPV6;
}

static int nft_dict_item_init(struct nft_dict_item *item, const struct nlattr *nest, u8 type,
			      bool single)
{
	struct nlattr *tb[NFTA_DICT_ITEM_MAX + 1];
	int err;

	err = nla_parse_nested(tb, NFTA_DICT_ITEM_MAX, nest, nft_dict_item_policy, NULL);
	if (err)
		return err;
	if (!tb[NFTA_DICT_ITEM_LO] == !tb[NFTA_DICT_ITEM_TOKENS] ||
	    (tb[NFTA_DICT_ITEM_HI] && (!tb[NFTA_DICT_ITEM_LO] || single)) ||
	    (tb[NFTA_DICT_ITEM_CLASSES] && !tb[NFTA_DICT_ITEM_TOKENS]))
		return -EINVAL;
	if (tb[NFTA_DICT_ITEM_TOKENS]) {
		if (type != NFT_DICT_TYPE_STRING)
			return -EPROTOTYPE;
		item->glob = nft_dict_glob_new(tb[NFTA_DICT_ITEM_TOKENS],
					       tb[NFTA_DICT_ITEM_CLASSES]);
		err = PTR_ERR_OR_ZERO(item->glob);
		if (err)
			item->glob = NULL;
		return err;
	}
	err = nft_dict_const(&item->lo, tb[NFTA_DICT_ITEM_LO], type);
	if (err)
		return err;
	item->hi = item->lo;
	if (tb[NFTA_DICT_ITEM_HI]) {
		if (!nft_dict_ordered(type))
			return -EOPNOTSUPP;
		err = nft_dict_const(&item->hi, tb[NFTA_DICT_ITEM_HI], type);
		if (err)
			return err;
	}
	item->low = nft_dict_value_number(&item->lo);
	item->high = nft_dict_value_number(&item->hi);
	if (nft_dict_item_order(item, &item->hi) < 0)
		return -ERANGE;
	return 0;
}

static void nft_dict_items_free(struct nft_dict_match *priv)
{
	unsigned int i;

	for (i = 0; i < priv->count; i++)
		kfree(priv->items[i].glob);
	kfree(priv->items);
}

static int nft_dict_items_init(struct nft_dict_match *priv, const struct nlattr *list)
{
	bool single = priv->cmp != NFT_DICT_EQ && priv->cmp != NFT_DICT_NE;
	u8 type = priv->expr.lookup->type;
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem, err = 0;

	if (!type || type == NFT_DICT_TYPE_ADDRESS)
		return -EPROTOTYPE;
	if (single && !nft_dict_ordered(type))
		return -EOPNOTSUPP;
	nla_for_each_nested(attr, list, rem) {
		if (nla_type(attr) != NFTA_LIST_ELEM)
			return -EINVAL;
		count++;
	}
	if (!count || (single && count > 1))
		return -EINVAL;
	if (count > NFT_DICT_MAX_ITEMS)
		return -E2BIG;
	priv->items = kcalloc(count, sizeof(*priv->items), GFP_KERNEL_ACCOUNT);
	if (!priv->items)
		return -ENOMEM;
	nla_for_each_nested(attr, list, rem) {
		err = nft_dict_item_init(&priv->items[priv->count], attr, type, single);
		if (err)
			break;
		priv->count++;
	}
	if (err)
		nft_dict_items_free(priv);
	return err;
}

static int nft_dict_match_init(const struct nft_ctx *ctx, const struct nft_expr *expr,
			       const struct nlattr * const given_tb[])
{
	struct nft_dict_match *priv = nft_expr_priv(expr);
	const struct nlattr *tb[NFTA_DICT_MAX + 1];
	bool presence;
	u32 cmp;
	int err;

	memcpy(tb, given_tb, sizeof(tb));
	if (!tb[NFTA_DICT_CMP])
		return -EINVAL;
	cmp = ntohl(nla_get_be32(tb[NFTA_DICT_CMP]));
	if (!cmp || cmp > NFT_DICT_MISSING)
		return -EOPNOTSUPP;
	presence = cmp == NFT_DICT_EXISTS || cmp == NFT_DICT_MISSING;
	if (!tb[NFTA_DICT_ITEMS] != presence)
		return -EINVAL;
	priv->cmp = cmp;
	priv->count = 0;
	priv->items = NULL;
	err = nft_dict_expr_new(ctx, &priv->expr, tb, BIT(NFTA_DICT_CMP) | BIT(NFTA_DICT_ITEMS),
				true);
	if (err)
		return err;
	if (presence) {
		priv->expr.lookup->def.type = 0;
		return 0;
	}
	err = nft_dict_items_init(priv, tb[NFTA_DICT_ITEMS]);
	if (err)
		nft_dict_expr_free(ctx, &priv->expr);
	return err;
}

static int nft_dict_write_reg(const struct nft_ctx *ctx, struct nft_dict_write *priv,
			      const struct nlattr *tb[])
{
	u8 type = priv->expr.lookup->type;
	u32 len;

	if (!tb[NFTA_DICT_LEN])
		return -EINVAL;
	len = ntohl(nla_get_be32(tb[NFTA_DICT_LEN]));
	/* Numbers of 4 bytes serve both, those of 8 cannot become an int. */
	if (!nft_dict_reg_fits(type, len) && !(type == NFT_DICT_TYPE_INT64 && len == sizeof(u32)))
		return -EPROTOTYPE;
	priv->origin = NFT_DICT_FROM_REG;
	priv->len = len;
	return nft_dict_register_load(ctx, tb[NFTA_DICT_SREG], &priv->sreg, len);
}

static int nft_dict_write_source(const struct nft_ctx *ctx, struct nft_dict_write *priv,
				 const struct nlattr *tb[])
{
	u8 type = priv->expr.lookup->type;
	u8 from;

	priv->source = nft_dict_lookup_new(ctx, tb[NFTA_DICT_SOURCE], true);
	if (IS_ERR(priv->source)) {
		int err = PTR_ERR(priv->source);

		priv->source = NULL;
		return err;
	}
	priv->origin = NFT_DICT_FROM_LOOKUP;
	from = priv->source->type;
	if (from == type || (type == NFT_DICT_TYPE_INT64 && from == NFT_DICT_TYPE_INT) ||
	    (type == NFT_DICT_TYPE_INT && from == NFT_DICT_TYPE_INT64 && priv->op != NFT_DICT_SET))
		return 0;
	return -EPROTOTYPE;
}

static int nft_dict_write_origin(const struct nft_ctx *ctx, struct nft_dict_write *priv,
				 const struct nlattr *tb[])
{
	u8 type = priv->expr.lookup->type;
	int err;

	if (!!tb[NFTA_DICT_VALUE] + !!tb[NFTA_DICT_SREG] + !!tb[NFTA_DICT_SOURCE] +
	    !!tb[NFTA_DICT_PACKET] != 1 ||
	    (tb[NFTA_DICT_LEN] && !tb[NFTA_DICT_SREG]))
		return -EINVAL;
	if (!type)
		return -EPROTOTYPE;
	if (priv->op != NFT_DICT_SET && type != NFT_DICT_TYPE_INT && type != NFT_DICT_TYPE_INT64)
		return -EOPNOTSUPP;
	if (tb[NFTA_DICT_SREG])
		return nft_dict_write_reg(ctx, priv, tb);
	if (tb[NFTA_DICT_SOURCE])
		return nft_dict_write_source(ctx, priv, tb);
	if (tb[NFTA_DICT_PACKET]) {
		if (ntohl(nla_get_be32(tb[NFTA_DICT_PACKET])) != NFT_DICT_PACKET_LENGTH ||
		    priv->op == NFT_DICT_SET)
			return -EOPNOTSUPP;
		priv->origin = NFT_DICT_FROM_LENGTH;
		return 0;
	}
	priv->origin = NFT_DICT_FROM_VALUE;
	err = nft_dict_const(&priv->value, tb[NFTA_DICT_VALUE], type);
	if (!err)
		priv->number = nft_dict_value_number(&priv->value);
	return err;
}

static int nft_dict_write_init(const struct nft_ctx *ctx, const struct nft_expr *expr,
			       const struct nlattr * const given_tb[])
{
	struct nft_dict_write *priv = nft_expr_priv(expr);
	const struct nlattr *tb[NFTA_DICT_MAX + 1];
	u32 allowed = 0;
	bool value;
	int err;

	memcpy(tb, given_tb, sizeof(tb));
	priv->op = ntohl(nla_get_be32(tb[NFTA_DICT_OP]));
	priv->source = NULL;
	value = priv->op != NFT_DICT_FLUSH && priv->op != NFT_DICT_ATTACH;
	if (value)
		allowed = BIT(NFTA_DICT_VALUE) | BIT(NFTA_DICT_SREG) | BIT(NFTA_DICT_SOURCE) |
			  BIT(NFTA_DICT_LEN) | BIT(NFTA_DICT_PACKET);
	err = nft_dict_expr_new(ctx, &priv->expr, tb, allowed, value);
	if (err)
		return err;
	if (priv->op == NFT_DICT_ATTACH && !nft_dict_bound(priv->expr.lookup->table))
		err = -EOPNOTSUPP;
	else if (value)
		err = nft_dict_write_origin(ctx, priv, tb);
	if (err) {
		nft_dict_lookup_free(ctx, priv->source);
		nft_dict_expr_free(ctx, &priv->expr);
	}
	return err;
}

static int nft_dict_expr_dump(NFT_DICT_DUMP_ARGS)
{
	const struct nft_dict_expr *priv = nft_expr_priv(expr);
	const struct nft_dict_given *given = priv->given;

	if (skb_tailroom(skb) < given->len)
		return -EMSGSIZE;
	skb_put_data(skb, given->data, given->len);
	return 0;
}

/* A table can be deleted as soon as the rule has been, not only when the last
 * packet has left it.
 */
static void nft_dict_expr_deactivate(const struct nft_ctx *ctx, const struct nft_expr *expr,
				     enum nft_trans_phase phase)
{
	const struct nft_dict_expr *priv = nft_expr_priv(expr);

	if (phase != NFT_TRANS_PREPARE)
		nft_dict_lookup_unuse(priv->lookup);
}

static void nft_dict_write_deactivate(const struct nft_ctx *ctx, const struct nft_expr *expr,
				      enum nft_trans_phase phase)
{
	const struct nft_dict_write *priv = nft_expr_priv(expr);

	nft_dict_expr_deactivate(ctx, expr, phase);
	if (phase != NFT_TRANS_PREPARE)
		nft_dict_lookup_unuse(priv->source);
}

static void nft_dict_load_destroy(const struct nft_ctx *ctx, const struct nft_expr *expr)
{
	nft_dict_expr_free(ctx, nft_expr_priv(expr));
}

static void nft_dict_match_destroy(const struct nft_ctx *ctx, const struct nft_expr *expr)
{
	struct nft_dict_match *priv = nft_expr_priv(expr);

	nft_dict_items_free(priv);
	nft_dict_expr_free(ctx, &priv->expr);
}

static void nft_dict_write_destroy(const struct nft_ctx *ctx, const struct nft_expr *expr)
{
	struct nft_dict_write *priv = nft_expr_priv(expr);

	nft_dict_lookup_free(ctx, priv->source);
	nft_dict_expr_free(ctx, &priv->expr);
}

#ifdef NFT_REDUCE_READONLY
static bool nft_dict_load_reduce(struct nft_regs_track *track, const struct nft_expr *expr)
{
	const struct nft_dict_load *priv = nft_expr_priv(expr);

	nft_reg_track_cancel(track, priv->dreg, priv->len);
	return false;
}
#endif

static struct nft_expr_type nft_dict_type;

static const struct nft_expr_ops nft_dict_load_ops = {
	.type		= &nft_dict_type,
	.size		= NFT_EXPR_SIZE(sizeof(struct nft_dict_load)),
	.eval		= nft_dict_load_eval,
	.init		= nft_dict_load_init,
	.deactivate	= nft_dict_expr_deactivate,
	.destroy	= nft_dict_load_destroy,
	.dump		= nft_dict_expr_dump,
	NFT_DICT_REDUCE(nft_dict_load_reduce)
};

static const struct nft_expr_ops nft_dict_match_ops = {
	.type		= &nft_dict_type,
	.size		= NFT_EXPR_SIZE(sizeof(struct nft_dict_match)),
	.eval		= nft_dict_match_eval,
	.init		= nft_dict_match_init,
	.deactivate	= nft_dict_expr_deactivate,
	.destroy	= nft_dict_match_destroy,
	.dump		= nft_dict_expr_dump,
	NFT_DICT_REDUCE(NFT_REDUCE_READONLY)
};

static const struct nft_expr_ops nft_dict_write_ops = {
	.type		= &nft_dict_type,
	.size		= NFT_EXPR_SIZE(sizeof(struct nft_dict_write)),
	.eval		= nft_dict_write_eval,
	.init		= nft_dict_write_init,
	.deactivate	= nft_dict_write_deactivate,
	.destroy	= nft_dict_write_destroy,
	.dump		= nft_dict_expr_dump,
	NFT_DICT_REDUCE(NFT_REDUCE_READONLY)
};

static const struct nft_expr_ops nft_dict_count_ops = {
	.type		= &nft_dict_type,
	.size		= NFT_EXPR_SIZE(sizeof(struct nft_dict_write)),
	.eval		= nft_dict_count_eval,
	.init		= nft_dict_write_init,
	.deactivate	= nft_dict_write_deactivate,
	.destroy	= nft_dict_write_destroy,
	.dump		= nft_dict_expr_dump,
	NFT_DICT_REDUCE(NFT_REDUCE_READONLY)
};

static const struct nft_expr_ops *nft_dict_select_ops(const struct nft_ctx *ctx,
						      const struct nlattr * const tb[])
{
	if (!tb[NFTA_DICT_OP])
		return ERR_PTR(-EINVAL);
	switch (ntohl(nla_get_be32(tb[NFTA_DICT_OP]))) {
	case NFT_DICT_LOAD:
		return &nft_dict_load_ops;
	case NFT_DICT_MATCH:
		return &nft_dict_match_ops;
	case NFT_DICT_ADD:
	case NFT_DICT_SUB:
		return &nft_dict_count_ops;
	case NFT_DICT_SET:
	case NFT_DICT_FLUSH:
	case NFT_DICT_ATTACH:
		return &nft_dict_write_ops;
	}
	return ERR_PTR(-EOPNOTSUPP);
}

static struct nft_expr_type nft_dict_type __read_mostly = {
	.name		= "dict",
	.select_ops	= nft_dict_select_ops,
	.policy		= nft_dict_expr_policy,
	.maxattr	= NFTA_DICT_MAX,
	.owner		= THIS_MODULE,
};

int nft_dict_expr_init(void)
{
	return nft_register_expr(&nft_dict_type);
}

void nft_dict_expr_exit(void)
{
	nft_unregister_expr(&nft_dict_type);
}
