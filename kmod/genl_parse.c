// SPDX-License-Identifier: GPL-2.0-only
/* Rows as user space writes them. */
#include <linux/if_ether.h>

#include "compat.h"
#include "genl.h"
#include "nft_dict.h"

/* nft_dict_key_parse - read a key as user space names it: -EINVAL if its bytes
 * are none of the table's type. @key has room for any.
 */
int nft_dict_key_parse(const struct nft_dict_table *t, struct nft_dict_key *key,
		       const void *data, unsigned int len)
{
	bool good;

	switch (t->key_type) {
	case NFT_DICT_KEY_CT_ID:
	case NFT_DICT_KEY_MARK:
	case NFT_DICT_KEY_INT:
	case NFT_DICT_KEY_IPV4:
		good = len == 4;
		break;
	case NFT_DICT_KEY_IPV6:
		good = len == 16;
		break;
	case NFT_DICT_KEY_ADDRESS:
		good = len == 4 || len == 16;
		break;
	case NFT_DICT_KEY_ETHER:
		good = len == ETH_ALEN;
		break;
	default:
		good = len && !nft_dict_string_check(data, len);
	}
	if (!good)
		return -EINVAL;
	key->len = len;
	key->data[(len - 1) / sizeof(u32)] = 0;
	memcpy(key->data, data, len);
	return 0;
}

/* Insert a cell in the order of fields; of two for one field the later stays. */
static void nft_dict_cell_insert(struct nft_dict_put *put, const struct nft_dict_value *v)
{
	unsigned int i = put->count;

	if (!i || put->value[i - 1].field < v->field) {
		put->value[put->count++] = *v;
		return;
	}
	while (i && put->value[i - 1].field > v->field)
		i--;
	if (i && put->value[i - 1].field == v->field) {
		put->value[i - 1] = *v;
		return;
	}
	memmove(&put->value[i + 1], &put->value[i], (put->count - i) * sizeof(*v));
	put->value[i] = *v;
	put->count++;
}

/* Whether rows are written, which may be new. */
static inline bool nft_dict_writes(enum nft_dict_purpose purpose)
{
	return purpose == NFT_DICT_FOR_PUT || purpose == NFT_DICT_FOR_ADD;
}

/* A cell of a message: at most one of field and name, and at most one value. */
struct nft_dict_raw_cell {
	const struct nlattr	*field;
	const struct nlattr	*name;
	struct nft_dict_value	v;
};

static inline int nft_dict_raw_cell_parse(struct nft_dict_raw_cell *c, const struct nlattr *nest,
					  struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rem, err;

	c->field = NULL;
	c->name = NULL;
	c->v.type = 0;
	nla_for_each_nested(attr, nest, rem) {
		unsigned int type = nla_type(attr);

		if (type == NFT_DICT_CELL_FIELD) {
			if (nla_len(attr) != sizeof(u32) || c->name || c->field)
				goto bad;
			c->field = attr;
		} else if (type < NFT_DICT_CELL_FIELD) {
			if (c->v.type)
				goto bad;
			err = nft_dict_value_parse(&c->v, attr, extack);
			if (err)
				return err;
		} else if (type == NFT_DICT_CELL_NAME) {
			if (c->name || c->field)
				goto bad;
			c->name = attr;
		} else if (type != NFT_DICT_CELL_PAD) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "attribute is no value");
			return -EINVAL;
		}
	}
	if (!c->field && !c->name) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "cell names no field");
		return -EINVAL;
	}
	return 0;
bad:
	NL_SET_ERR_MSG_ATTR(extack, attr, "cell is malformed");
	return -EINVAL;
}

/*
 * The position of a field by its name. Where one of an open table is not there,
 * it comes to be if @grow says so, else its name is checked and the position is
 * one that no field has.
 */
static noinline int nft_dict_cell_named(struct nft_dict_table *t,
					const struct nft_dict_raw_cell *c, bool grow,
					struct netlink_ext_ack *extack)
{
	char name[NFT_DICT_MAX_NAME + 1];
	int i;

	if (!nft_dict_name_copy(name, nla_data(c->name),
				strnlen(nla_data(c->name), nla_len(c->name)))) {
		NL_SET_ERR_MSG_ATTR(extack, c->name, "name is none of a field");
		return nft_dict_open(t) ? -EINVAL : -ENOENT;
	}
	i = nft_dict_field_index(t, name);
	if (i >= 0)
		return i;
	if (!nft_dict_open(t)) {
		NL_SET_ERR_MSG_ATTR(extack, c->name, "field does not exist");
		return -ENOENT;
	}
	return grow ? nft_dict_field_open(t, name) : NFT_DICT_MAX_FIELDS;
}

static inline int nft_dict_cell_field(struct nft_dict_table *t, const struct nft_dict_raw_cell *c,
				      bool grow, struct netlink_ext_ack *extack)
{
	u32 i;

	if (!c->field)
		return nft_dict_cell_named(t, c, grow, extack);
	i = nla_get_u32(c->field);
	if (i < nft_dict_table_fields(t))
		return i;
	NL_SET_ERR_MSG_ATTR(extack, c->field, "table has no field of this position");
	return -ENOENT;
}

static int nft_dict_cell_parse(struct nft_dict_table *t, struct nft_dict_request *r,
			       const struct nlattr *nest, enum nft_dict_purpose purpose,
			       bool grow, unsigned int *fresh, struct netlink_ext_ack *extack)
{
	struct nft_dict_raw_cell c NFT_DICT_UNINITIALIZED;
	int i, err;

	err = nft_dict_raw_cell_parse(&c, nest, extack);
	if (err)
		return err;
	if (nft_dict_writes(purpose) && !c.v.type) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "cell has no value");
		return -EINVAL;
	}
	if (purpose == NFT_DICT_FOR_ADD && c.v.type != NFT_DICT_TYPE_INT &&
	    c.v.type != NFT_DICT_TYPE_INT64) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "amount is no number");
		return -EPROTOTYPE;
	}
	if (purpose == NFT_DICT_FOR_KEY || (purpose == NFT_DICT_FOR_DELETE && c.v.type)) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "cell or its value is superfluous");
		return -EINVAL;
	}
	i = nft_dict_cell_field(t, &c, grow, extack);
	if (i < 0)
		return purpose == NFT_DICT_FOR_DELETE && i == -ENOENT ? -ENODATA : i;
	if (i == NFT_DICT_MAX_FIELDS) {
		++*fresh;
		if (nft_dict_writes(purpose))
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, nest, "field does not exist");
		return purpose == NFT_DICT_FOR_DELETE ? -ENODATA : -ENOENT;
	}
	c.v.field = i;
	if (c.v.type && !nft_dict_open(t)) {
		err = c.v.type == t->fields[i]->type ? 0 :
		      nft_dict_value_fit(&c.v, t->fields[i]->type, &r->wide[i]);
		if (err) {
			NL_SET_ERR_MSG_ATTR(extack, nest, "value is not of the field's type");
			return err;
		}
	}
	nft_dict_cell_insert(&r->put, &c.v);
	return 0;
}

/*
 * Read a cell as clients mostly write them: the position, higher than those
 * before, and a value of the field's type. False if it is another, or wrong.
 */
static inline bool nft_dict_cell_plain(const struct nft_dict_table *t, struct nft_dict_put *put,
				       const struct nlattr *nest)
{
	const struct nlattr *field = nla_data(nest), *value;
	unsigned int len = nla_len(nest), type;
	struct nft_dict_value *v;
	u32 i;

	if (len < 2 * NLA_HDRLEN + sizeof(u32) || field->nla_type != NFT_DICT_CELL_FIELD ||
	    field->nla_len != NLA_HDRLEN + sizeof(u32))
		return false;
	value = nla_data(field) + sizeof(u32);
	len -= NLA_HDRLEN + sizeof(u32);
	i = nla_get_u32(field);
	v = &put->value[put->count];
	if (value->nla_len < NLA_HDRLEN || NLA_ALIGN(value->nla_len) != NLA_ALIGN(len) ||
	    value->nla_len > len || i >= READ_ONCE(t->nfields) ||
	    (put->count && i <= v[-1].field))
		return false;
	type = value->nla_type;
	if (!type || type != t->fields[i]->type || !nft_dict_value_good(value))
		return false;
	v->data = nla_data(value);
	v->field = i;
	v->type = type;
	v->len = nla_len(value);
	put->count++;
	return true;
}

/* The first of these many bytes of a plain cell say what its value is of. */
#define NFT_DICT_PLAIN_HEAD	(3 * NLA_HDRLEN + sizeof(u32))

/*
 * Rows that follow each other mostly have the same cells: @attr of the row that
 * is being read is as far from that row's start as @plain, which is NULL if not
 * all went along so far, from the start of the row before. A cell that says the
 * same as the one there needs but its value looked at.
 */
static inline bool nft_dict_cell_again(struct nft_dict_put *put, const struct nlattr *attr,
				       const struct nlattr *plain)
{
	struct nft_dict_value *v = &put->value[put->count];
	const void *data = (const void *)attr + NFT_DICT_PLAIN_HEAD;

	if (memcmp(attr, plain, NFT_DICT_PLAIN_HEAD))
		return false;
	if (v->type == NFT_DICT_TYPE_BOOL && *(const u8 *)data > 1)
		return false;
	if (v->type == NFT_DICT_TYPE_STRING && nft_dict_string_check(data, v->len))
		return false;
	v->data = data;
	put->count++;
	return true;
}

/*
 * Read a row that is to be put and is made like the row before it, which was
 * new. False if it is not; then nothing is said of the row.
 */
static bool nft_dict_row_again(struct nft_dict_table *t, struct nft_dict_request *r,
			       const struct nlattr *nest)
{
	const struct nlattr *attr, *key = NULL, *plain = nla_data(r->plain);
	int rem;

	if (nest->nla_len != r->plain->nla_len)
		return false;
	r->put.count = 0;
	attr = nla_data(nest);
	/* What is as long as its like there ends within the row, too. */
	for (rem = nla_len(nest); rem >= NLA_HDRLEN; attr = nla_next(attr, &rem)) {
		if (nla_type(plain) == NFT_DICT_ROW_CELL) {
			if (!nft_dict_cell_again(&r->put, attr, plain))
				return false;
		} else {
			if (memcmp(attr, plain, NLA_HDRLEN))
				return false;
			key = attr;
		}
		plain = (const void *)plain + NLA_ALIGN(plain->nla_len);
	}
	if (rem || !key)
		return false;
	/* Only strings can be wrong if they have the right length. */
	if (t->key_type == NFT_DICT_KEY_STRING || nla_len(key) != sizeof(u32))
		return !nft_dict_key_parse(t, &r->key.key, nla_data(key), nla_len(key));
	r->key.key.data[0] = nla_get_u32(key);
	return true;
}

static int nft_dict_row_pass(struct nft_dict_table *t, struct nft_dict_request *r,
			     const struct nlattr *nest, enum nft_dict_purpose purpose,
			     bool grow, unsigned int *fresh, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr, *key = NULL;
	bool plain = purpose == NFT_DICT_FOR_PUT;
	int rem, err;

	r->plain = NULL;
	r->put.count = 0;
	r->put.ttl = 0;
	r->put.sum = purpose == NFT_DICT_FOR_ADD ? r->sum : NULL;
	*fresh = 0;
	nla_for_each_nested(attr, nest, rem) {
		unsigned int type = nla_type(attr);

		if (type == NFT_DICT_ROW_CELL) {
			if (purpose == NFT_DICT_FOR_PUT && nft_dict_cell_plain(t, &r->put, attr))
				continue;
			plain = false;
			err = nft_dict_cell_parse(t, r, attr, purpose, grow, fresh, extack);
			if (err)
				return err;
		} else if (type == NFT_DICT_ROW_KEY) {
			key = attr;
		} else if (type == NFT_DICT_ROW_TTL) {
			if (nla_len(attr) != sizeof(u32) || nla_get_u32(attr) > NFT_DICT_MAX_TTL) {
				NL_SET_ERR_MSG_ATTR(extack, attr, "ttl is out of range");
				return -ERANGE;
			}
			r->put.ttl = nla_get_u32(attr);
			plain = false;
		} else {
			NL_SET_ERR_MSG_ATTR(extack, attr, "attribute is not one of a row");
			return -EINVAL;
		}
	}
	if (purpose == NFT_DICT_FOR_FILTER ? !!key : !key) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "a row needs a key, a filter none");
		return -EINVAL;
	}
	if (key && nft_dict_key_parse(t, &r->key.key, nla_data(key), nla_len(key))) {
		NL_SET_ERR_MSG_ATTR(extack, key, "key is not of the table's type");
		return -EPROTOTYPE;
	}
	/* What follows the last attribute is not like anything. */
	if (plain && !rem)
		r->plain = nest;
	return 0;
}

/* nft_dict_row_parse - read and check a row. Values point into the message. The
 * fields that a write brings to an open table are there afterwards, unless the
 * row is refused.
 */
int nft_dict_row_parse(struct nft_dict_table *t, struct nft_dict_request *r,
		       const struct nlattr *nest, enum nft_dict_purpose purpose,
		       struct netlink_ext_ack *extack)
{
	unsigned int fresh;
	int err;

	if (purpose == NFT_DICT_FOR_PUT && r->plain && r->put.fresh && r->put.size &&
	    nft_dict_row_again(t, r, nest)) {
		r->plain = nest;
		r->put.again = true;
		return 0;
	}
	r->put.again = false;
	err = nft_dict_row_pass(t, r, nest, purpose, false, &fresh, extack);
	if (err || !fresh)
		return err;
	if (t->nfields + fresh > NFT_DICT_MAX_FIELDS) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "table would have more than 256 fields");
		return -EFBIG;
	}
	err = nft_dict_row_room(t, &r->key.key);
	if (err)
		return err;
	return nft_dict_row_pass(t, r, nest, purpose, true, &fresh, extack);
}
