// SPDX-License-Identifier: GPL-2.0-only
/* Tables and their fields. */
#include <linux/slab.h>
#include <linux/string.h>

#include "find.h"
#include "nft_dict.h"

/* nft_dict_table_find - find a table by its canonical name, under RCU or the
 * namespace's mutex.
 */
struct nft_dict_table *nft_dict_table_find(struct nft_dict_net *dn, const char *name)
{
	struct nft_dict_table *t;

	list_for_each_entry_rcu(t, &dn->tables, list, lockdep_is_held(&dn->mutex))
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

/* nft_dict_table_get - find a table and take a reference to it, or NULL. */
struct nft_dict_table *nft_dict_table_get(struct nft_dict_net *dn, const char *name)
{
	struct nft_dict_table *t;

	rcu_read_lock();
	t = nft_dict_table_find(dn, name);
	if (t && !refcount_inc_not_zero(&t->ref))
		t = NULL;
	rcu_read_unlock();
	return t;
}

/* nft_dict_table_after - take a reference to the first table with a higher id,
 * or NULL.
 */
struct nft_dict_table *nft_dict_table_after(struct nft_dict_net *dn, u32 id)
{
	struct nft_dict_table *t, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(t, &dn->tables, list) {
		if (t->id <= id || !refcount_inc_not_zero(&t->ref))
			continue;
		found = t;
		break;
	}
	rcu_read_unlock();
	return found;
}

/* nft_dict_table_new - make a table without fields that is on no list yet; its
 * one reference is the caller's. The arguments have been checked.
 */
struct nft_dict_table *nft_dict_table_new(struct nft_dict_net *dn, const char *name,
					  u8 key_type, u32 limit, u32 timeout, u32 flags)
{
	struct nft_dict_table *t;
	int err;

	t = kvzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	strscpy(t->name, name, sizeof(t->name));
	t->dn = dn;
	t->key_type = key_type;
	t->limit = limit;
	t->timeout = timeout;
	t->flags = flags;
	refcount_set(&t->ref, 1);
	spin_lock_init(&t->lock);
	INIT_LIST_HEAD(&t->rows);
	t->told_until = jiffies;
	err = rhashtable_init(&t->ht, &nft_dict_row_params);
	if (err)
		goto err_free;
	if (nft_dict_bound(t)) {
		err = nft_dict_ids_init(t);
		if (err)
			goto err_ht;
	}
	return t;

err_ht:
	rhashtable_destroy(&t->ht);
err_free:
	kvfree(t);
	return ERR_PTR(err);
}

/* nft_dict_table_add - put a table on its namespace's list: -EEXIST if the name
 * is taken, -EFBIG if there are too many. The caller's reference becomes that of
 * the list.
 */
int nft_dict_table_add(struct nft_dict_table *t)
{
	struct nft_dict_net *dn = t->dn;

	lockdep_assert_held(&dn->mutex);

	if (nft_dict_table_find(dn, t->name))
		return -EEXIST;
	if (dn->ntables == NFT_DICT_MAX_TABLES)
		return -EFBIG;
	if (dn->last_id == U32_MAX)
		return -EOVERFLOW;
	t->id = ++dn->last_id;
	dn->ntables++;
	list_add_tail_rcu(&t->list, &dn->tables);
	WRITE_ONCE(dn->changes, dn->changes + 1);
	nft_dict_notify_table(t, NFT_DICT_CMD_TABLE_NTF);
	queue_delayed_work(system_power_efficient_wq, &dn->gc, HZ);
	return 0;
}

/* nft_dict_table_unlink - take a table off the list and end its rows. It goes
 * when the last reference does.
 */
void nft_dict_table_unlink(struct nft_dict_table *t)
{
	lockdep_assert_held(&t->dn->mutex);

	list_del_rcu(&t->list);
	t->dn->ntables--;
	WRITE_ONCE(t->dn->changes, t->dn->changes + 1);
	spin_lock_bh(&t->lock);
	t->dead = true;
	spin_unlock_bh(&t->lock);
	nft_dict_notify_table(t, NFT_DICT_CMD_TABLE_DEL_NTF);
	nft_dict_table_end_rows(t, NFT_DICT_END_PURGE);
	nft_dict_table_put(t);
}

/* nft_dict_table_delete - delete a table, -EBUSY while a rule uses it. */
int nft_dict_table_delete(struct nft_dict_table *t)
{
	lockdep_assert_held(&t->dn->mutex);

	if (atomic_read(&t->users))
		return -EBUSY;
	nft_dict_table_unlink(t);
	return 0;
}

static void nft_dict_table_free(struct rcu_head *rcu)
{
	struct nft_dict_table *t = container_of(rcu, struct nft_dict_table, rcu);
	unsigned int i;

	for (i = 0; i < t->nfields; i++)
		kfree(t->fields[i]);
	kvfree(t);
}

/* nft_dict_table_put - give a reference back. May sleep. */
void nft_dict_table_put(struct nft_dict_table *t)
{
	if (!refcount_dec_and_test(&t->ref))
		return;
	/* A table without references is dead, and has no rows. */
	if (nft_dict_bound(t))
		rhltable_destroy(&t->ids);
	rhashtable_destroy(&t->ht);
	call_rcu(&t->rcu, nft_dict_table_free);
}

/* nft_dict_field_alloc - make a field with room for names; NULL without
 * memory. Freed with kfree until it is added.
 */
struct nft_dict_field *nft_dict_field_alloc(unsigned int names)
{
	struct nft_dict_field *f;

	f = kzalloc(struct_size(f, name, names), GFP_KERNEL_ACCOUNT);
	if (f)
		f->names = names;
	return f;
}

/* nft_dict_field_index - the position of a field by its canonical name or an
 * alias, or -1. Names go before aliases, but no two are alike. Fields become
 * more while this looks.
 */
int nft_dict_field_index(const struct nft_dict_table *t, const char *name)
{
	unsigned int n = nft_dict_table_fields(t), i, j;

	for (i = 0; i < n; i++) {
		const struct nft_dict_field *f = t->fields[i];

		for (j = 0; j < f->names; j++)
			if (!strcmp(f->name[j], name))
				return i;
	}
	return -1;
}

/* nft_dict_field_add - add a field, which then belongs to the table: -EEXIST
 * if one of its names is taken, -EFBIG if there are too many.
 */
int nft_dict_field_add(struct nft_dict_table *t, struct nft_dict_field *f)
{
	unsigned int i, j;

	for (i = 0; i < f->names; i++) {
		if (nft_dict_field_index(t, f->name[i]) >= 0)
			return -EEXIST;
		for (j = 0; j < i; j++)
			if (!strcmp(f->name[i], f->name[j]))
				return -EEXIST;
	}
	if (t->nfields == NFT_DICT_MAX_FIELDS)
		return -EFBIG;
	t->fields[t->nfields] = f;
	/* Pairs with nft_dict_table_fields. */
	smp_store_release(&t->nfields, t->nfields + 1);
	return 0;
}

/* nft_dict_field_open - the position of a field of an open table, which comes
 * to be if it was not there; -EFBIG if there are too many, -ENOMEM.
 */
int nft_dict_field_open(struct nft_dict_table *t, const char *name)
{
	int i = nft_dict_field_index(t, name);
	struct nft_dict_field *f;
	int err;

	lockdep_assert_held(&t->dn->mutex);

	if (i >= 0)
		return i;
	f = nft_dict_field_alloc(1);
	if (!f)
		return -ENOMEM;
	strscpy(f->name[0], name, sizeof(f->name[0]));
	err = nft_dict_field_add(t, f);
	if (err) {
		kfree(f);
		return err;
	}
	WRITE_ONCE(t->dn->changes, t->dn->changes + 1);
	nft_dict_notify_table(t, NFT_DICT_CMD_TABLE_NTF);
	return t->nfields - 1;
}
