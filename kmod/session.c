// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of bound tables. Such a row holds a reference to its conntrack entry, and
 * the entry itself is the key: while the row is there the entry's memory is not
 * used for another connection, so neither a reused id nor two equal ids can
 * lead to a row of someone else.
 */
#include <linux/bsearch.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>

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

/* nft_dict_session_gone - whether a row's entry is no more: deleted, or, if it
 * was never confirmed, held by nobody but the row.
 */
bool nft_dict_session_gone(const struct nft_dict_row *row)
{
	const struct nf_conn *ct = nft_dict_row_ct(row);

	if (nf_ct_is_dying(ct))
		return true;
	return !nf_ct_is_confirmed(ct) && refcount_read(&ct->ct_general.use) == 1;
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

/* nft_dict_session_attach - bind an entry, to which the caller has a reference,
 * by a row that readers do not see. 0 also if it is bound already. Under RCU
 * with GFP_ATOMIC.
 */
int nft_dict_session_attach(struct nft_dict_table *t, struct nf_conn *ct, gfp_t gfp)
{
	union nft_dict_any_key any;
	struct nft_dict_row *row;
	int err;

	nft_dict_ct_key(&any.key, ct);
	if (rhashtable_lookup_fast(&t->ht, &any.key, nft_dict_row_params))
		return 0;
	if (nf_ct_is_dying(ct))
		return -ENOENT;
	row = nft_dict_row_new(t, &any.key, ct, gfp);
	if (IS_ERR(row))
		return PTR_ERR(row);
	row->link.flags |= NFT_DICT_LINK_HIDDEN;
	err = nft_dict_row_insert(t, row);
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
			if (s->error == -ENOSPC) {
				nft_dict_table_end_rows(t, NFT_DICT_END_DUE);
				s->error = nft_dict_session_attach(t, s->ct[j],
								   GFP_KERNEL_ACCOUNT);
			}
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
