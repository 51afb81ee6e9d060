// SPDX-License-Identifier: GPL-2.0-only
/* Sums, and what rules write into rows, in the packet's way. */
#include "count.h"
#include "find.h"
#include "nft_dict.h"

/* The value to store, with its bytes. */
struct nft_dict_result {
	struct nft_dict_value	v;
	union {
		s32	i;
		s64	l;
	};
};

/* nft_dict_put_amounts - keep the numbers that are to be added. */
void nft_dict_put_amounts(struct nft_dict_put *put)
{
	unsigned int i;

	for (i = 0; i < put->count; i++)
		put->sum[i].amount = nft_dict_value_number(&put->value[i]);
}

/* What a field counts from that has no number. */
static s64 nft_dict_field_start(const struct nft_dict_field *f, u8 type)
{
	return f->def.type == type ? nft_dict_value_number(&f->def) : 0;
}

/* nft_dict_put_sums - make of amounts the values that are to be put into a row
 * with the values @old.
 */
void nft_dict_put_sums(const struct nft_dict_table *t, const struct nft_dict_cells *old,
		       struct nft_dict_put *put)
{
	unsigned int i;

	for (i = 0; i < put->count; i++) {
		struct nft_dict_value *v = &put->value[i], was;
		struct nft_dict_sum *s = &put->sum[i];
		s64 n;

		if (nft_dict_cells_get(old, v->field, &was) && was.type == v->type)
			n = nft_dict_value_number(&was);
		else
			n = nft_dict_field_start(t->fields[v->field], v->type);
		n = nft_dict_saturate(n, s->amount, NFT_DICT_ADD);
		if (v->type == NFT_DICT_TYPE_INT) {
			s->i = clamp_t(s64, n, S32_MIN, S32_MAX);
			v->data = &s->i;
		} else {
			s->l = n;
			v->data = &s->l;
		}
	}
}

/*
 * Work out what is to be stored where @old is, if there is any. The field and
 * the type are those of @v, but that a number to add may be of another size:
 * then @def tells the type.
 */
static void nft_dict_result_set(struct nft_dict_result *r, enum nft_dict_ops how,
				const struct nft_dict_value *old,
				const struct nft_dict_value *v,
				const struct nft_dict_value *def)
{
	s64 n;

	r->v = *v;
	if (how == NFT_DICT_SET)
		return;
	r->v.type = def->type;
	n = old ? nft_dict_value_number(old) : def->data ? nft_dict_value_number(def) : 0;
	n = nft_dict_saturate(n, nft_dict_value_number(v), how);
	if (r->v.type == NFT_DICT_TYPE_INT) {
		r->i = clamp_t(s64, n, S32_MIN, S32_MAX);
		r->v.data = &r->i;
		r->v.len = sizeof(r->i);
	} else {
		r->l = n;
		r->v.data = &r->l;
		r->v.len = sizeof(r->l);
	}
}

/* Store over a value of the same type by one store, if that can be done. */
static bool nft_dict_store(const struct nft_dict_value *old, const struct nft_dict_result *r)
{
	void *to = (void *)old->data;

	switch (r->v.type) {
	case NFT_DICT_TYPE_BOOL:
		WRITE_ONCE(*(u8 *)to, *(const u8 *)r->v.data);
		return true;
	case NFT_DICT_TYPE_INT:
	case NFT_DICT_TYPE_IPV4:
		/* Registers and attributes are aligned to 4 bytes, and so is r. */
		WRITE_ONCE(*(u32 *)to, *(const u32 *)r->v.data);
		return true;
	case NFT_DICT_TYPE_INT64:
		if (BITS_PER_LONG < 64)
			return false;
		WRITE_ONCE(*(s64 *)to, nft_dict_value_number(&r->v));
		return true;
	}
	return false;
}

static int nft_dict_update_cell(struct nft_dict_table *t, struct nft_dict_row *row,
				const struct nft_dict_result *r)
{
	struct nft_dict_cells *old, *cells;
	int size;

	old = rcu_dereference_protected(row->cells, lockdep_is_held(&row->lock));
	size = nft_dict_cells_size(old, &r->v, 1);
	if (size < 0)
		return size;
	cells = nft_dict_cells_alloc(t, size, GFP_ATOMIC);
	if (IS_ERR(cells))
		return PTR_ERR(cells);
	nft_dict_cells_fill(cells, old, &r->v, 1);
	nft_dict_row_swap(t, row, cells);
	return 0;
}

static int nft_dict_update_old(struct nft_dict_table *t, struct nft_dict_row *row,
			       enum nft_dict_ops how, const struct nft_dict_value *v,
			       const struct nft_dict_value *def)
{
	bool had, same, seen, ended, changed = true;
	struct nft_dict_value old;
	struct nft_dict_result r;
	int err = -EAGAIN;

	spin_lock_bh(&row->lock);
	if (row->link.flags & NFT_DICT_LINK_DEAD)
		goto out;
	seen = !(row->link.flags & NFT_DICT_LINK_HIDDEN);
	ended = nft_dict_row_expired(row);
	if (ended)
		nft_dict_row_swap(t, row, NULL);
	had = nft_dict_cells_get(rcu_dereference_protected(row->cells,
							   lockdep_is_held(&row->lock)),
				 v->field, &old);
	same = had && old.type == def->type;
	nft_dict_result_set(&r, how, same ? &old : NULL, v, def);
	err = 0;
	if (same && nft_dict_value_equal(&old, &r.v))
		changed = false;
	else if (!same || !nft_dict_store(&old, &r))
		err = nft_dict_update_cell(t, row, &r);
	if (err)
		goto out;
	if (ended && seen)
		nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_DEL_NTF, NULL, 0);
	nft_dict_row_set_expiry(t, row, nft_dict_row_expiry(t, 0));
	nft_dict_row_show(t, row);
	if (changed)
		nft_dict_table_counted(t);
	if (!seen || (changed && how == NFT_DICT_SET))
		nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_NTF, &r.v, 1);
	else if (changed)
		nft_dict_notify_count(t, row, NFT_DICT_CMD_ROW_NTF, &r.v, 1);
out:
	spin_unlock_bh(&row->lock);
	return err;
}

static int nft_dict_update_new(struct nft_dict_table *t, const struct nft_dict_key *key,
			       struct nf_conn *ct, enum nft_dict_ops how,
			       const struct nft_dict_value *v, const struct nft_dict_value *def)
{
	struct nft_dict_result r;
	struct nft_dict_row *row;
	int err;

	err = nft_dict_row_place(t, key);
	if (err)
		return err;
	row = nft_dict_row_new(t, key, ct, 0, GFP_ATOMIC);
	if (IS_ERR(row))
		return PTR_ERR(row);
	nft_dict_result_set(&r, how, NULL, v, def);
	spin_lock_bh(&row->lock);
	nft_dict_row_set_expiry(t, row, nft_dict_row_expiry(t, 0));
	err = nft_dict_update_cell(t, row, &r);
	if (!err)
		err = nft_dict_row_insert(t, row);
	if (!err)
		nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_NTF, &r.v, 1);
	spin_unlock_bh(&row->lock);
	if (err)
		nft_dict_row_discard(t, row);
	return err;
}

/* nft_dict_row_update - do what a rule says to a field: set @v, add it or
 * subtract it. @def has the type of the field's value, and data if the field
 * has a default to count from. @ct is the entry that a row of a bound table is
 * for. Under RCU; never sleeps. What finds no place is counted.
 */
void nft_dict_row_update(struct nft_dict_table *t, const struct nft_dict_key *key,
			 struct nf_conn *ct, enum nft_dict_ops how,
			 const struct nft_dict_value *v, const struct nft_dict_value *def)
{
	int tries, err = 0;

	for (tries = 0; tries < 3; tries++) {
		struct nft_dict_row *row = nft_dict_row_meet(t, key);

		if (row)
			err = nft_dict_update_old(t, row, how, v, def);
		else
			err = nft_dict_update_new(t, key, ct, how, v, def);
		if (err != -EAGAIN && err != -EEXIST)
			break;
	}
	if (err && err != -ESTALE)
		atomic64_inc(&t->refused);
}
