// SPDX-License-Identifier: GPL-2.0-only
/* What user space writes into rows. */
#include <linux/sched.h>
#include <linux/slab.h>

#include "find.h"
#include "nft_dict.h"

/* How often to try again where others are in the way. */
#define NFT_DICT_TRIES	100

/*
 * A block for values that is made ready before the row is locked, since making
 * it may sleep.
 */
struct nft_dict_block {
	struct nft_dict_table	*t;
	struct nft_dict_cells	*cells; /* NULL if room is 0 */
	int			room;
};

static int nft_dict_block_ready(struct nft_dict_block *b, int size)
{
	if (size <= b->room)
		return size < 0 ? size : 0;
	nft_dict_cells_free(b->t, b->cells);
	b->room = 0;
	b->cells = nft_dict_cells_alloc(b->t, size, GFP_KERNEL_ACCOUNT);
	if (IS_ERR(b->cells)) {
		int err = PTR_ERR(b->cells);

		b->cells = NULL;
		return err;
	}
	b->room = size;
	return 0;
}

/* Hand the block over. */
static struct nft_dict_cells *nft_dict_block_take(struct nft_dict_block *b)
{
	struct nft_dict_cells *cells = b->cells;

	b->cells = NULL;
	b->room = 0;
	return cells;
}

/* The values that a write starts from. Under RCU or the row's lock. */
static struct nft_dict_cells *nft_dict_row_cells(const struct nft_dict_row *row)
{
	if (nft_dict_row_expired(row))
		return NULL;
	return rcu_dereference_check(row->cells, lockdep_is_held(&row->lock));
}

/* Whether a row has all that is to be put. */
static bool nft_dict_put_same(const struct nft_dict_cells *old, const struct nft_dict_put *put)
{
	struct nft_dict_value v;
	unsigned int i;

	for (i = 0; i < put->count; i++)
		if (!nft_dict_cells_get(old, put->value[i].field, &v) ||
		    !nft_dict_value_equal(&v, &put->value[i]))
			return false;
	return true;
}

static int nft_dict_put_size(const struct nft_dict_cells *old, const struct nft_dict_put *put)
{
	/* What sums will be is not known before the row is locked; of a type and
	 * length they are.
	 */
	if (put->sum ? !put->count : nft_dict_put_same(old, put))
		return 0;
	return nft_dict_cells_size(old, put->value, put->count);
}

/* Find the row and measure what it will take, 0 if it has all already. */
static int nft_dict_put_measure(struct nft_dict_table *t, const struct nft_dict_key *key,
				const struct nft_dict_put *put, bool *found)
{
	struct nft_dict_row *row;
	int size;

	rcu_read_lock();
	row = nft_dict_row_seek(t, key);
	*found = !IS_ERR(row);
	if (!IS_ERR(row))
		size = nft_dict_put_size(nft_dict_row_cells(row), put);
	else if (PTR_ERR(row) == -ENOENT && !nft_dict_bound(t))
		size = nft_dict_cells_size(NULL, put->value, put->count);
	else
		size = PTR_ERR(row);
	rcu_read_unlock();
	return size;
}

/* Put a new row, whose values take @size bytes. As long as they are few they share
 * the row's memory; what is put in their place later does not.
 */
static int nft_dict_put_new(struct nft_dict_table *t, const struct nft_dict_key *key,
			    struct nft_dict_put *put, size_t size)
{
	size_t room = size <= NFT_DICT_SMALL ? size : 0;
	struct nft_dict_cells *cells = NULL;
	struct nft_dict_row *row;
	int err;

	row = nft_dict_row_new(t, key, NULL, room, GFP_KERNEL_ACCOUNT);
	if (IS_ERR(row))
		return PTR_ERR(row);
	if (put->sum)
		nft_dict_put_sums(t, NULL, put);
	if (room) {
		cells = nft_dict_row_first(row);
	} else if (size) {
		cells = nft_dict_cells_alloc(t, size, GFP_KERNEL_ACCOUNT);
		if (IS_ERR(cells)) {
			nft_dict_row_discard(t, row);
			return PTR_ERR(cells);
		}
	}
	if (put->again) {
		nft_dict_cells_fill_again(cells, put->head, put->value);
	} else {
		if (cells)
			nft_dict_cells_fill(cells, NULL, put->value, put->count);
		put->size = room;
		if (room)
			nft_dict_cells_keep(cells, put->head);
	}
	RCU_INIT_POINTER(row->cells, cells);
	if (put->ttl || t->timeout)
		nft_dict_row_set_expiry(t, row, nft_dict_row_expiry(t, put->ttl));

	/* Whoever finds the row waits until its coming has been told. */
	spin_lock_bh(&row->lock);
	err = nft_dict_row_insert(t, row);
	if (!err)
		nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_NTF, put->value, put->count);
	spin_unlock_bh(&row->lock);
	if (err)
		nft_dict_row_discard(t, row);
	return err;
}

/* Drop the changes that change nothing, and return how many are left. */
static unsigned int nft_dict_put_changes(const struct nft_dict_cells *old,
					 struct nft_dict_put *put)
{
	unsigned int i, n = 0;

	for (i = 0; i < put->count; i++) {
		struct nft_dict_value v;

		if (nft_dict_cells_get(old, put->value[i].field, &v) &&
		    nft_dict_value_equal(&v, &put->value[i]))
			continue;
		put->value[n++] = put->value[i];
	}
	return n;
}

/* Put into a row that is there: -EAGAIN if it is no longer as measured. Where it
 * is added to, the life of one that readers see stays.
 */
static int nft_dict_put_old(struct nft_dict_table *t, const struct nft_dict_key *key,
			    struct nft_dict_put *put, struct nft_dict_block *b)
{
	struct nft_dict_cells *old;
	struct nft_dict_row *row;
	int err = -EAGAIN, size;
	bool seen;

	rcu_read_lock();
	row = nft_dict_row_seek(t, key);
	if (IS_ERR(row)) {
		rcu_read_unlock();
		return err;
	}
	spin_lock_bh(&row->lock);
	if (row->link.flags & NFT_DICT_LINK_DEAD)
		goto out;
	old = nft_dict_row_cells(row);
	size = nft_dict_put_size(old, put);
	if (size < 0 || size > b->room)
		goto out;

	seen = !(row->link.flags & NFT_DICT_LINK_HIDDEN);
	if (nft_dict_row_expired(row)) {
		if (seen)
			nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_DEL_NTF, NULL, 0);
		nft_dict_row_swap(t, row, NULL);
		seen = false;
	}
	if (put->sum)
		nft_dict_put_sums(t, old, put);
	put->count = nft_dict_put_changes(old, put);
	if (put->count) {
		nft_dict_cells_fill(b->cells, old, put->value, put->count);
		nft_dict_row_swap(t, row, nft_dict_block_take(b));
	}
	if (!put->sum || !seen)
		nft_dict_row_set_expiry(t, row, nft_dict_row_expiry(t, put->ttl));
	nft_dict_row_show(t, row);
	if (!seen || (put->count && !put->sum))
		nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_NTF, put->value, put->count);
	else if (put->count)
		nft_dict_notify_count(t, row, NFT_DICT_CMD_ROW_NTF, put->value, put->count);
	err = 0;
out:
	spin_unlock_bh(&row->lock);
	rcu_read_unlock();
	return err;
}

/* nft_dict_row_put_next - nft_dict_row_put for one of many: whether a row was new
 * says what is tried first with the next, for which @put is used again.
 */
int nft_dict_row_put_next(struct nft_dict_table *t, const struct nft_dict_key *key,
			  struct nft_dict_put *put)
{
	struct nft_dict_block block = { .t = t };
	bool collected = false;
	int tries, err;

	lockdep_assert_held(&t->dn->mutex);

	if (put->sum)
		nft_dict_put_amounts(put);
	for (tries = 0; tries < NFT_DICT_TRIES; tries++) {
		bool guess = put->fresh, found = false;

		put->fresh = false;
		if (put->again)
			err = put->size;
		else if (guess)
			err = nft_dict_cells_size(NULL, put->value, put->count);
		else
			err = nft_dict_put_measure(t, key, put, &found);
		if (found)
			err = nft_dict_block_ready(&block, err);
		if (found && !err)
			err = nft_dict_put_old(t, key, put, &block);
		else if (!found && err >= 0)
			err = nft_dict_put_new(t, key, put, err);
		put->fresh = !found && !err;
		put->again = false;
		if (guess && err)
			continue; /* what there is may take it */
		if (err == -ENOSPC && !collected && nft_dict_table_make_room(t)) {
			collected = true;
			continue;
		}
		if (err != -EAGAIN && err != -EEXIST && err != -EBUSY)
			break;
		cond_resched();
	}
	if (err == -ENOSPC || err == -ENOBUFS)
		atomic64_inc(&t->refused);
	nft_dict_cells_free(t, block.cells);
	return err;
}

/* nft_dict_row_put - merge values into a row, whole or not at all. The errors
 * are those that nft_dict.yaml names for a row.
 */
int nft_dict_row_put(struct nft_dict_table *t, const struct nft_dict_key *key,
		     struct nft_dict_put *put)
{
	put->sum = NULL;
	put->fresh = false;
	put->again = false;
	return nft_dict_row_put_next(t, key, put);
}

/* nft_dict_row_room - whether a put would find a place: -ENOSPC, counted. For
 * what has to be made before the put.
 */
int nft_dict_row_room(struct nft_dict_table *t, const struct nft_dict_key *key)
{
	bool there;

	lockdep_assert_held(&t->dn->mutex);

	rcu_read_lock();
	there = !IS_ERR(nft_dict_row_seek(t, key));
	rcu_read_unlock();
	if (there || READ_ONCE(t->count) < t->limit)
		return 0;
	if (nft_dict_table_make_room(t) && READ_ONCE(t->count) < t->limit)
		return 0;
	atomic64_inc(&t->refused);
	return -ENOSPC;
}

/* Whether all cells that are to be deleted are there. */
static bool nft_dict_cells_have(const struct nft_dict_cells *cells, const struct nft_dict_put *put)
{
	struct nft_dict_value v;
	unsigned int i;

	for (i = 0; i < put->count; i++)
		if (!nft_dict_cells_get(cells, put->value[i].field, &v))
			return false;
	return true;
}

static int nft_dict_row_delete_cells(struct nft_dict_table *t, const struct nft_dict_key *key,
				     const struct nft_dict_put *put, struct nft_dict_block *b)
{
	const struct nft_dict_cells *old;
	struct nft_dict_row *row;
	int size, err;

	rcu_read_lock();
	row = nft_dict_row_seek(t, key);
	if (IS_ERR(row)) {
		rcu_read_unlock();
		return PTR_ERR(row);
	}
	spin_lock_bh(&row->lock);
	old = nft_dict_row_cells(row);
	err = -ENOENT;
	if (!nft_dict_row_shown(row))
		goto out;
	err = -ENODATA;
	if (!nft_dict_cells_have(old, put))
		goto out;
	size = nft_dict_cells_size(old, put->value, put->count);
	err = size;
	if (size > b->room)
		goto out;
	if (size)
		nft_dict_cells_fill(b->cells, old, put->value, put->count);
	nft_dict_row_swap(t, row, size ? nft_dict_block_take(b) : NULL);
	nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_DEL_NTF, put->value, put->count);
	err = 0;
out:
	spin_unlock_bh(&row->lock);
	rcu_read_unlock();
	return err;
}

/* nft_dict_row_delete - delete a row, or the cells named in @put, whose values
 * have no type, if it names any: -ENOENT no such row, -ENODATA no such cell.
 */
int nft_dict_row_delete(struct nft_dict_table *t, const struct nft_dict_key *key,
			const struct nft_dict_put *put)
{
	struct nft_dict_block block = { .t = t };
	struct nft_dict_row *row;
	int tries, err = -EAGAIN;

	lockdep_assert_held(&t->dn->mutex);

	if (!put->count) {
		rcu_read_lock();
		row = nft_dict_row_seek(t, key);
		if (IS_ERR(row))
			err = PTR_ERR(row);
		else
			err = nft_dict_row_end(t, row, NFT_DICT_END_DELETE) ? 0 : -ENOENT;
		rcu_read_unlock();
		return err;
	}
	for (tries = 0; tries < NFT_DICT_TRIES; tries++) {
		/* A positive result is what the rest of the row takes. */
		err = nft_dict_row_delete_cells(t, key, put, &block);
		if (err <= 0)
			break;
		err = nft_dict_block_ready(&block, err);
		if (err)
			break;
		err = -EAGAIN;
	}
	nft_dict_cells_free(t, block.cells);
	return err;
}

/* nft_dict_row_renew - start the life of a row anew: -ENOENT if there is none. */
int nft_dict_row_renew(struct nft_dict_table *t, const struct nft_dict_key *key, u32 ttl)
{
	struct nft_dict_row *row;
	int err = -ENOENT;

	lockdep_assert_held(&t->dn->mutex);

	rcu_read_lock();
	row = nft_dict_row_seek(t, key);
	if (IS_ERR(row)) {
		rcu_read_unlock();
		return PTR_ERR(row);
	}
	spin_lock_bh(&row->lock);
	if (nft_dict_row_shown(row)) {
		nft_dict_row_set_expiry(t, row, nft_dict_row_expiry(t, ttl));
		err = 0;
	}
	spin_unlock_bh(&row->lock);
	rcu_read_unlock();
	return err;
}
