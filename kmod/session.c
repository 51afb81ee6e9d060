// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of bound tables. Such a row holds a reference to its conntrack entry, and
 * the entry itself is the key: while the row is there the entry's memory is not
 * used for another connection, so neither a reused id nor two equal ids can
 * lead to a row of someone else.
 *
 * An unconfirmed entry belongs to one packet alone; if anybody else held it,
 * nfnetlink_queue would drop the packet. A row of such an entry is weak: its key
 * is where the entry was, and nobody looks there but for a packet that has it.
 * The entry bears a mark, in bits of its status that are nobody's, which a later
 * entry in the same memory does not. Once the entry is confirmed the row takes
 * its reference: when the next packet meets it, or when the collector finds the
 * entry by its tuple. Until then it lives by the clock.
 */
#include <linux/bsearch.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "find.h"
#include "nft_dict.h"

static const struct rhashtable_params nft_dict_id_params = {
	.head_offset		= offsetof(struct nft_dict_session, id_node),
	.key_offset		= offsetof(struct nft_dict_session, id),
	.key_len		= sizeof_field(struct nft_dict_session, id),
	.automatic_shrinking	= true,
};

int nft_dict_ids_init(struct nft_dict_table *t)
{
	return rhltable_init(&t->ids, &nft_dict_id_params);
}

int nft_dict_ids_insert(struct nft_dict_table *t, struct nft_dict_row *row)
{
	lockdep_assert_held(&t->lock);
	return rhltable_insert(&t->ids, &nft_dict_session(row)->id_node, nft_dict_id_params);
}

void nft_dict_ids_remove(struct nft_dict_table *t, struct nft_dict_row *row)
{
	lockdep_assert_held(&t->lock);
	rhltable_remove(&t->ids, &nft_dict_session(row)->id_node, nft_dict_id_params);
}

/* nft_dict_ct_id - the id of an entry as a number, as `conntrack -o id` says. */
u32 nft_dict_ct_id(const struct nf_conn *ct)
{
	return be32_to_cpu((__force __be32)nf_ct_get_id(ct));
}

/* nft_dict_ct_key - the key of an entry's row. @key has room for a pointer. */
void nft_dict_ct_key(struct nft_dict_key *key, const struct nf_conn *ct)
{
	key->len = sizeof(ct);
	memcpy(key->data, &ct, sizeof(ct));
}

/* How long a weak row lives, in seconds: before anything is written to it, while
 * its packet waits for somebody to do so, and then.
 */
#define NFT_DICT_WEAK_WAIT	10
#define NFT_DICT_WEAK_LIFE	60

/**
 * struct nft_dict_weak - how the entry of a weak row is known again
 * @mark: in its status
 * @tuple: of the original direction
 * @zone: of the tuple
 */
struct nft_dict_weak {
	unsigned long			mark;
	struct nf_conntrack_tuple	tuple;
	struct nf_conntrack_zone	zone;
};

#define NFT_DICT_MARK_SHIFT	(BITS_PER_LONG / 2)

static unsigned long nft_dict_ct_marked(const struct nf_conn *ct)
{
	return READ_ONCE(ct->status) >> NFT_DICT_MARK_SHIFT;
}

/* Mark an unconfirmed entry, unless it is. No two that may be taken for each
 * other get the same mark.
 */
static unsigned long nft_dict_ct_mark(struct nf_conn *ct)
{
	static atomic_long_t last = ATOMIC_LONG_INIT(0);
	unsigned long status = READ_ONCE(ct->status), mark = 0;

	BUILD_BUG_ON(__IPS_MAX_BIT > NFT_DICT_MARK_SHIFT);
	while (!(status >> NFT_DICT_MARK_SHIFT)) {
		while (!mark)
			mark = atomic_long_inc_return(&last) & GENMASK(NFT_DICT_MARK_SHIFT - 1, 0);
		if (try_cmpxchg(&ct->status, &status, status | mark << NFT_DICT_MARK_SHIFT))
			return mark;
	}
	return status >> NFT_DICT_MARK_SHIFT;
}

static void nft_dict_session_live(struct nft_dict_row *row, u32 seconds)
{
	WRITE_ONCE(nft_dict_session(row)->until, (u32)ktime_get_seconds() + seconds);
}

/* nft_dict_session_hold - give a new row its entry, which the caller has. */
int nft_dict_session_hold(struct nft_dict_table *t, struct nft_dict_row *row,
			  struct nf_conn *ct, gfp_t gfp)
{
	struct nft_dict_weak *weak;

	nft_dict_session(row)->id = nft_dict_ct_id(ct);
	if (nf_ct_is_confirmed(ct)) {
		nf_conntrack_get(&ct->ct_general);
		return 0;
	}
	weak = nft_dict_alloc(t, sizeof(*weak), gfp);
	if (IS_ERR(weak))
		return PTR_ERR(weak);
	weak->mark = nft_dict_ct_mark(ct);
	weak->tuple = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	weak->zone = *nf_ct_zone(ct);
	row->weak = weak;
	row->link.flags |= NFT_DICT_LINK_WEAK;
	nft_dict_session_live(row, NFT_DICT_WEAK_WAIT);
	return 0;
}

/* nft_dict_session_drop - forget how the entry of a weak row that ends is known
 * again.
 */
void nft_dict_session_drop(struct nft_dict_table *t, struct nft_dict_row *row)
{
	if (row->link.flags & NFT_DICT_LINK_WEAK)
		nft_dict_free(t, row->weak, sizeof(*row->weak));
}

/* nft_dict_session_prolong - something is written to a row. */
void nft_dict_session_prolong(struct nft_dict_row *row)
{
	if (row->link.flags & NFT_DICT_LINK_WEAK)
		nft_dict_session_live(row, NFT_DICT_WEAK_LIFE);
}

/* The entry of a weak row is confirmed: it holds the caller's reference. */
static void nft_dict_session_strengthen(struct nft_dict_table *t, struct nft_dict_row *row)
{
	struct nft_dict_weak *weak = row->weak;

	lockdep_assert_held(&row->lock);
	/* Who sees that the row is not weak may look at the entry: pairs with
	 * nft_dict_session_gone.
	 */
	smp_store_release(&row->link.flags, row->link.flags & ~NFT_DICT_LINK_WEAK);
	nft_dict_free(t, weak, sizeof(*weak));
}

/* nft_dict_session_meet - a packet whose entry is where that of a weak row was
 * has met the row: NULL if it is another entry by now, and the row ends. Under
 * RCU.
 */
struct nft_dict_row *nft_dict_session_meet(struct nft_dict_table *t, struct nft_dict_row *row)
{
	struct nf_conn *ct = nft_dict_row_ct(row);
	bool dead, stale = false;

	spin_lock_bh(&row->lock);
	dead = row->link.flags & NFT_DICT_LINK_DEAD;
	if (!dead && row->link.flags & NFT_DICT_LINK_WEAK) {
		stale = nft_dict_ct_marked(ct) != row->weak->mark;
		if (stale) {
			nft_dict_session_live(row, 0);
		} else if (nf_ct_is_confirmed(ct)) {
			nf_conntrack_get(&ct->ct_general);
			nft_dict_session_strengthen(t, row);
		}
	}
	spin_unlock_bh(&row->lock);
	if (stale)
		nft_dict_row_end(t, row, NFT_DICT_END_DUE);
	return dead || stale ? NULL : row;
}

/* nft_dict_session_settle - look whether the entry of a weak row is confirmed.
 * Under RCU.
 */
void nft_dict_session_settle(struct nft_dict_table *t, struct nft_dict_row *row)
{
	struct nf_conntrack_tuple_hash *hash;
	struct nf_conntrack_tuple tuple;
	struct nf_conntrack_zone zone;
	unsigned long mark = 0;
	struct nf_conn *ct;

	spin_lock_bh(&row->lock);
	if ((row->link.flags & (NFT_DICT_LINK_WEAK | NFT_DICT_LINK_DEAD)) == NFT_DICT_LINK_WEAK) {
		mark = row->weak->mark;
		tuple = row->weak->tuple;
		zone = row->weak->zone;
	}
	spin_unlock_bh(&row->lock);
	if (!mark)
		return;
	hash = nf_conntrack_find_get(t->dn->net, &zone, &tuple);
	if (!hash)
		return;
	ct = nf_ct_tuplehash_to_ctrack(hash);
	spin_lock_bh(&row->lock);
	if (ct == nft_dict_row_ct(row) && nft_dict_ct_marked(ct) == mark &&
	    (row->link.flags & (NFT_DICT_LINK_WEAK | NFT_DICT_LINK_DEAD)) == NFT_DICT_LINK_WEAK) {
		nft_dict_session_strengthen(t, row);
		ct = NULL;
	}
	spin_unlock_bh(&row->lock);
	if (ct)
		nf_ct_put(ct);
}

/* nft_dict_session_gone - whether a row's entry is no more, as far as is known. */
bool nft_dict_session_gone(const struct nft_dict_row *row)
{
	/* Pairs with the release in nft_dict_session_strengthen. */
	if (smp_load_acquire(&row->link.flags) & NFT_DICT_LINK_WEAK) {
		u32 until = READ_ONCE(nft_dict_session(row)->until);

		return (s32)((u32)ktime_get_seconds() - until) >= 0;
	}
	return nf_ct_is_dying(nft_dict_row_ct(row));
}

/* nft_dict_session_seek - find the row of the one live entry of an id, under
 * RCU: -ENOENT, or -ENOTUNIQ if there are more.
 */
struct nft_dict_row *nft_dict_session_seek(struct nft_dict_table *t, u32 id)
{
	struct nft_dict_row *row = ERR_PTR(-ENOENT);
	struct rhlist_head *list, *pos;
	struct nft_dict_session *s;

	list = rhltable_lookup(&t->ids, &id, nft_dict_id_params);
	rhl_for_each_entry_rcu(s, pos, list, id_node) {
		if (nft_dict_session_gone(&s->row))
			continue;
		if (!IS_ERR(row))
			return ERR_PTR(-ENOTUNIQ);
		row = &s->row;
	}
	return row;
}

/* nft_dict_session_entry - take a reference to the one live entry of an id, if a
 * row of the bound table holds it; else NULL.
 */
struct nf_conn *nft_dict_session_entry(struct nft_dict_table *t, u32 id)
{
	struct nf_conn *ct = NULL;
	struct nft_dict_row *row;

	rcu_read_lock();
	row = nft_dict_session_seek(t, id);
	/* Pairs with nft_dict_session_strengthen. The row has its own reference for
	 * as long as this reads.
	 */
	if (!IS_ERR(row) && !(smp_load_acquire(&row->link.flags) & NFT_DICT_LINK_WEAK)) {
		ct = nft_dict_row_ct(row);
		nf_conntrack_get(&ct->ct_general);
	}
	rcu_read_unlock();
	return ct;
}

/* nft_dict_session_attach - bind an entry, to which the caller has a reference,
 * by a row that readers do not see. 0 also if it is bound already. Under RCU
 * with GFP_ATOMIC.
 */
int nft_dict_session_attach(struct nft_dict_table *t, struct nf_conn *ct, gfp_t gfp)
{
	union nft_dict_any_key any NFT_DICT_UNINITIALIZED;
	struct nft_dict_row *row;
	bool bound;
	int err;

	nft_dict_ct_key(&any.key, ct);
	rcu_read_lock();
	bound = nft_dict_row_meet(t, &any.key);
	rcu_read_unlock();
	if (bound)
		return 0;
	if (nf_ct_is_dying(ct))
		return -ENOENT;
	err = nft_dict_row_place(t, &any.key);
	if (err)
		return err == -EEXIST ? 0 : err;
	row = nft_dict_row_new(t, &any.key, ct, 0, gfp);
	if (IS_ERR(row))
		return PTR_ERR(row);
	row->link.flags |= NFT_DICT_LINK_HIDDEN;
	/* Whoever meets the row waits until it is known whether it stays. */
	spin_lock_bh(&row->lock);
	err = nft_dict_row_insert(t, row);
	spin_unlock_bh(&row->lock);
	if (err)
		nft_dict_row_discard(t, row);
	return err == -EEXIST ? 0 : err;
}

/*
 * Ids of entries that are not bound yet. They are looked for in conntrack's own
 * table, which knows no ids, all in one walk.
 */
struct nft_dict_sought {
	u32		id;
	int		error;
	struct nf_conn	*ct[2]; /* as many as it takes to tell that there are two */
};

struct nft_dict_wanted {
	unsigned int		count, room;
	struct nft_dict_sought	sought[];
};

/* nft_dict_wanted_new - make room for @n ids; NULL without memory. Freed with
 * kvfree.
 */
struct nft_dict_wanted *nft_dict_wanted_new(unsigned int n)
{
	struct nft_dict_wanted *w = kvzalloc(struct_size(w, sought, n), GFP_KERNEL);

	if (w)
		w->room = n;
	return w;
}

/* nft_dict_wanted_add - note an id, unless its entry is bound. */
void nft_dict_wanted_add(struct nft_dict_table *t, struct nft_dict_wanted *w, u32 id)
{
	bool bound;

	rcu_read_lock();
	bound = nft_dict_session_seek(t, id) != ERR_PTR(-ENOENT);
	rcu_read_unlock();
	if (bound || WARN_ON_ONCE(w->count >= w->room))
		return;
	w->sought[w->count].id = id;
	w->sought[w->count].error = -ENOENT;
	w->count++;
}

static int nft_dict_sought_cmp(const void *a, const void *b)
{
	u32 x = ((const struct nft_dict_sought *)a)->id;
	u32 y = ((const struct nft_dict_sought *)b)->id;

	return x < y ? -1 : x > y;
}

static struct nft_dict_sought *nft_dict_wanted_find(const struct nft_dict_wanted *w, u32 id)
{
	struct nft_dict_sought key = { .id = id };

	return bsearch(&key, w->sought, w->count, sizeof(key), nft_dict_sought_cmp);
}

/* Called for every confirmed entry of the namespace; returns 0, lest conntrack
 * should delete it.
 */
static int nft_dict_wanted_visit(struct nf_conn *ct, void *data)
{
	struct nft_dict_sought *s = nft_dict_wanted_find(data, nft_dict_ct_id(ct));
	int i;

	for (i = 0; s && i < ARRAY_SIZE(s->ct); i++) {
		if (s->ct[i] == ct)
			break;
		if (s->ct[i])
			continue;
		if (!nf_ct_is_dying(ct) && refcount_inc_not_zero(&ct->ct_general.use))
			s->ct[i] = ct;
		break;
	}
	return 0;
}

/* nft_dict_wanted_bind - look for the entries of the ids, and bind them. */
void nft_dict_wanted_bind(struct nft_dict_table *t, struct nft_dict_wanted *w)
{
	struct nf_ct_iter_data iter = { .net = t->dn->net, .data = w };
	unsigned int i, j, n = 0;

	if (!w->count)
		return;
	sort(w->sought, w->count, sizeof(w->sought[0]), nft_dict_sought_cmp, NULL);
	for (i = 1; i < w->count; i++)
		if (w->sought[i].id != w->sought[n].id)
			w->sought[++n] = w->sought[i];
	w->count = n + 1;

	nf_ct_iterate_cleanup_net(nft_dict_wanted_visit, &iter);
	for (i = 0; i < w->count; i++) {
		struct nft_dict_sought *s = &w->sought[i];

		for (j = 0; j < ARRAY_SIZE(s->ct); j++) {
			if (!s->ct[j])
				continue;
			s->error = nft_dict_session_attach(t, s->ct[j], GFP_KERNEL_ACCOUNT);
			if (s->error == -ENOSPC && nft_dict_table_make_room(t))
				s->error = nft_dict_session_attach(t, s->ct[j],
								   GFP_KERNEL_ACCOUNT);
			nf_ct_put(s->ct[j]);
			s->ct[j] = NULL;
		}
	}
}

/* nft_dict_wanted_error - why there is no row for an id. */
int nft_dict_wanted_error(const struct nft_dict_wanted *w, u32 id)
{
	const struct nft_dict_sought *s = nft_dict_wanted_find(w, id);

	return s && s->error ? s->error : -ENOENT;
}
