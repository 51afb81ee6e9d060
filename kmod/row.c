// SPDX-License-Identifier: GPL-2.0-only
/* Rows: how they are found, come and go. */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>

#include "find.h"
#include "nft_dict.h"

/* nft_dict_row_seek - find a row as user space names it, in a bound table by
 * its id. Under RCU; -ENOENT, or -ENOTUNIQ where entries share the id.
 */
struct nft_dict_row *nft_dict_row_seek(struct nft_dict_table *t, const struct nft_dict_key *key)
{
	struct nft_dict_row *row;

	if (nft_dict_bound(t))
		return nft_dict_session_seek(t, key->data[0]);
	row = nft_dict_row_find(t, key);
	return row ? row : ERR_PTR(-ENOENT);
}

/* Bytes of a row with its key, and with @room for its first values. */
static size_t nft_dict_row_size(const struct nft_dict_key *key, bool session, size_t room)
{
	size_t size = offsetof(struct nft_dict_row, key.data) +
		      nft_dict_key_words(key) * sizeof(u32);

	if (room)
		size = ALIGN(size, __alignof__(struct nft_dict_cells)) + room;
	return size + (session ? offsetof(struct nft_dict_session, row) : 0);
}

/* nft_dict_row_new - make a row without values that nobody sees yet, with @room
 * for the first of them unless that is 0. In a bound table @ct is its entry, and
 * also its key.
 */
struct nft_dict_row *nft_dict_row_new(struct nft_dict_table *t, const struct nft_dict_key *key,
				      struct nf_conn *ct, size_t room, gfp_t gfp)
{
	size_t size = nft_dict_row_size(key, nft_dict_bound(t), room);
	unsigned int words = nft_dict_key_words(key), i;
	struct nft_dict_session *s = NULL;
	struct nft_dict_row *row;
	void *p;

	p = nft_dict_alloc(t, size, gfp);
	if (IS_ERR(p))
		return p;
	row = p;
	if (nft_dict_bound(t)) {
		s = p;
		row = &s->row;
	}
	INIT_LIST_HEAD(&row->link.list);
	row->link.flags = s ? NFT_DICT_LINK_SESSION : 0;
	row->link.expires = 0;
	RCU_INIT_POINTER(row->cells, NULL);
	spin_lock_init(&row->lock);
	row->key.len = key->len;
	for (i = 0; i < words; i++)
		row->key.data[i] = key->data[i];
	if (room) {
		row->link.flags |= NFT_DICT_LINK_LARGE;
		nft_dict_row_first(row)->bytes = room;
	}
	if (s) {
		int err = nft_dict_session_hold(t, row, ct, gfp);

		if (err) {
			nft_dict_free(t, p, size);
			return ERR_PTR(err);
		}
	}
	return row;
}

static void *nft_dict_row_block(struct nft_dict_row *row)
{
	if (row->link.flags & NFT_DICT_LINK_SESSION)
		return nft_dict_session(row);
	return row;
}

/* Whether a block is part of the row's own. */
static bool nft_dict_row_owns(const struct nft_dict_row *row, const struct nft_dict_cells *cells)
{
	return row->link.flags & NFT_DICT_LINK_LARGE && cells == nft_dict_row_first(row);
}

static void nft_dict_row_release(struct rcu_head *rcu)
{
	struct nft_dict_row *row = container_of(rcu, struct nft_dict_row, rcu);
	struct nft_dict_cells *cells = rcu_dereference_raw(row->cells);

	if (!nft_dict_row_owns(row, cells))
		kfree(cells);
	if ((row->link.flags & (NFT_DICT_LINK_SESSION | NFT_DICT_LINK_WEAK)) ==
	    NFT_DICT_LINK_SESSION)
		nf_ct_put(nft_dict_row_ct(row));
	kfree(nft_dict_row_block(row));
}

static void nft_dict_row_uncharge(struct nft_dict_table *t, struct nft_dict_row *row)
{
	struct nft_dict_cells *cells = rcu_dereference_raw(row->cells);
	size_t room = 0;

	if (row->link.flags & NFT_DICT_LINK_LARGE)
		room = nft_dict_row_first(row)->bytes;
	if (cells && !nft_dict_row_owns(row, cells))
		nft_dict_uncharge(t, cells->bytes);
	nft_dict_uncharge(t, nft_dict_row_size(&row->key,
					       row->link.flags & NFT_DICT_LINK_SESSION, room));
}

/* nft_dict_row_discard - free a row that was not inserted, though a reader may
 * have met it while that was tried.
 */
void nft_dict_row_discard(struct nft_dict_table *t, struct nft_dict_row *row)
{
	spin_lock_bh(&row->lock);
	row->link.flags |= NFT_DICT_LINK_DEAD;
	nft_dict_session_drop(t, row);
	spin_unlock_bh(&row->lock);
	nft_dict_row_uncharge(t, row);
	call_rcu(&row->rcu, nft_dict_row_release);
}

/* nft_dict_row_place - whether a row of a key would find a place, for packets that
 * are not to make it in vain: -EEXIST if there is one, -ENOSPC if the table is full.
 */
int nft_dict_row_place(struct nft_dict_table *t, const struct nft_dict_key *key)
{
	int err = 0;

	if (READ_ONCE(t->count) < t->limit)
		return 0;
	spin_lock_bh(&t->lock);
	if (t->count >= t->limit)
		err = rhashtable_lookup_fast(&t->ht, key, nft_dict_row_params) ?
		      -EEXIST : -ENOSPC;
	spin_unlock_bh(&t->lock);
	return err;
}

/* nft_dict_row_insert - make a new row visible: -EEXIST if there is one of its
 * key, -ENOSPC if the table is full, -ESTALE if it is being deleted. Under the
 * row's lock.
 */
int nft_dict_row_insert(struct nft_dict_table *t, struct nft_dict_row *row)
{
	int err;

	lockdep_assert_held(&row->lock);

	spin_lock(&t->lock);
	if (t->dead) {
		err = -ESTALE;
		goto out;
	}
	if (t->count >= t->limit) {
		err = rhashtable_lookup_fast(&t->ht, &row->key, nft_dict_row_params) ?
		      -EEXIST : -ENOSPC;
		goto out;
	}
	err = rhashtable_lookup_insert_key(&t->ht, &row->key, &row->node, nft_dict_row_params);
	if (err)
		goto out;
	if (row->link.flags & NFT_DICT_LINK_SESSION) {
		err = nft_dict_ids_insert(t, row);
		if (err) {
			rhashtable_remove_fast(&t->ht, &row->node, nft_dict_row_params);
			row->link.flags |= NFT_DICT_LINK_DEAD;
			goto out;
		}
	}
	list_add_tail(&row->link.list, &t->rows);
	t->count++;
	if (row->link.flags & NFT_DICT_LINK_HIDDEN)
		t->hidden++;
	atomic_inc(&t->generation);
out:
	spin_unlock(&t->lock);
	return err;
}

static void nft_dict_row_unlink(struct nft_dict_table *t, struct nft_dict_row *row)
{
	lockdep_assert_held(&row->lock);

	spin_lock_bh(&t->lock);
	rhashtable_remove_fast(&t->ht, &row->node, nft_dict_row_params);
	if (row->link.flags & NFT_DICT_LINK_SESSION)
		nft_dict_ids_remove(t, row);
	list_del(&row->link.list);
	t->count--;
	if (row->link.flags & NFT_DICT_LINK_HIDDEN)
		t->hidden--;
	row->link.flags |= NFT_DICT_LINK_DEAD;
	atomic_inc(&t->generation);
	spin_unlock_bh(&t->lock);

	nft_dict_session_drop(t, row);
	nft_dict_row_uncharge(t, row);
	call_rcu(&row->rcu, nft_dict_row_release);
}

/* nft_dict_row_show - let a row that only bound an entry be one. */
void nft_dict_row_show(struct nft_dict_table *t, struct nft_dict_row *row)
{
	lockdep_assert_held(&row->lock);

	if (!(row->link.flags & NFT_DICT_LINK_HIDDEN))
		return;
	spin_lock_bh(&t->lock);
	row->link.flags &= ~NFT_DICT_LINK_HIDDEN;
	t->hidden--;
	spin_unlock_bh(&t->lock);
}

static void nft_dict_row_hide(struct nft_dict_table *t, struct nft_dict_row *row)
{
	nft_dict_row_swap(t, row, NULL);
	spin_lock_bh(&t->lock);
	row->link.flags |= NFT_DICT_LINK_HIDDEN;
	row->link.expires = 0;
	t->hidden++;
	spin_unlock_bh(&t->lock);
}

/* nft_dict_row_swap - give a row other values, NULL for none. */
void nft_dict_row_swap(struct nft_dict_table *t, struct nft_dict_row *row,
		       struct nft_dict_cells *cells)
{
	struct nft_dict_cells *old;

	old = rcu_replace_pointer(row->cells, cells, lockdep_is_held(&row->lock));
	atomic_inc(&t->generation);
	if (!old || nft_dict_row_owns(row, old))
		return;
	nft_dict_uncharge(t, old->bytes);
	kfree_rcu(old, rcu);
}

/* nft_dict_row_end - end a row, and tell whether one was there that readers
 * saw. Under RCU.
 */
bool nft_dict_row_end(struct nft_dict_table *t, struct nft_dict_row *row, enum nft_dict_end why)
{
	bool session = row->link.flags & NFT_DICT_LINK_SESSION;
	bool gone, hidden, seen = false;

	spin_lock_bh(&row->lock);
	if (row->link.flags & NFT_DICT_LINK_DEAD)
		goto out;
	gone = session && nft_dict_session_gone(row);
	hidden = row->link.flags & NFT_DICT_LINK_HIDDEN;
	if (why == NFT_DICT_END_DUE && !gone && !nft_dict_row_expired(row))
		goto out;
	seen = !hidden && (why == NFT_DICT_END_DUE || nft_dict_row_shown(row));
	if (!hidden && why != NFT_DICT_END_PURGE)
		nft_dict_notify_row(t, row, NFT_DICT_CMD_ROW_DEL_NTF, NULL, 0);
	if (!session || gone || why == NFT_DICT_END_PURGE)
		nft_dict_row_unlink(t, row);
	else if (!hidden)
		nft_dict_row_hide(t, row);
out:
	spin_unlock_bh(&row->lock);
	return seen;
}

/* nft_dict_row_shown - whether readers see the row. */
bool nft_dict_row_shown(const struct nft_dict_row *row)
{
	u32 flags = READ_ONCE(row->link.flags);

	return !(flags & (NFT_DICT_LINK_DEAD | NFT_DICT_LINK_HIDDEN)) &&
	       !nft_dict_row_expired(row) &&
	       !((flags & NFT_DICT_LINK_SESSION) && nft_dict_session_gone(row));
}

/* nft_dict_row_left - seconds left of a row's life, 0 for one without end. */
u32 nft_dict_row_left(const struct nft_dict_row *row)
{
	u32 end = READ_ONCE(row->link.expires);
	s32 left = end - 1 - (u32)ktime_get_seconds();

	return !end ? 0 : max(left, 1);
}

/* nft_dict_row_expiry - when a row ends that is given life now. The second that
 * has begun is not counted.
 */
u32 nft_dict_row_expiry(const struct nft_dict_table *t, u32 ttl)
{
	u32 end;

	if (!ttl)
		ttl = t->timeout;
	end = ttl ? (u32)ktime_get_seconds() + ttl + 1 : 0;
	return ttl && !end ? 1 : end;
}

void nft_dict_row_set_expiry(struct nft_dict_table *t, struct nft_dict_row *row, u32 expires)
{
	nft_dict_session_prolong(row);
	WRITE_ONCE(row->link.expires, expires);
	if (expires && !READ_ONCE(t->timed))
		WRITE_ONCE(t->timed, true);
}
