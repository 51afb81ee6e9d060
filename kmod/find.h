/* SPDX-License-Identifier: GPL-2.0-only */
/* How rows and their values are found: what every packet does, so it is inline. */
#ifndef _NFT_DICT_FIND_H
#define _NFT_DICT_FIND_H

#include <linux/bitops.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>

#include "nft_dict.h"

static inline unsigned int nft_dict_key_words(const struct nft_dict_key *key)
{
	return DIV_ROUND_UP(key->len, sizeof(u32));
}

static inline u32 nft_dict_key_hash(const void *data, u32 len, u32 seed)
{
	const struct nft_dict_key *key = data;

	return jhash2(&key->len, 1 + nft_dict_key_words(key), seed);
}

static inline u32 nft_dict_row_hash(const void *data, u32 len, u32 seed)
{
	const struct nft_dict_row *row = data;

	return nft_dict_key_hash(&row->key, len, seed);
}

static inline int nft_dict_row_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nft_dict_key *key = arg->key;
	const struct nft_dict_row *row = obj;
	unsigned int i, words;

	if (key->len != row->key.len)
		return 1;
	words = nft_dict_key_words(key);
	for (i = 0; i < words; i++)
		if (key->data[i] != row->key.data[i])
			return 1;
	return 0;
}

static const struct rhashtable_params nft_dict_row_params = {
	.head_offset		= offsetof(struct nft_dict_row, node),
	.hashfn			= nft_dict_key_hash,
	.obj_hashfn		= nft_dict_row_hash,
	.obj_cmpfn		= nft_dict_row_cmp,
	.automatic_shrinking	= true,
};

/* nft_dict_row_find - find a row by its whole key, under RCU. It may have
 * expired.
 */
static inline struct nft_dict_row *nft_dict_row_find(struct nft_dict_table *t,
						     const struct nft_dict_key *key)
{
	return rhashtable_lookup(&t->ht, key, nft_dict_row_params);
}

/* nft_dict_row_meet - find the row of a packet, under RCU. */
static inline struct nft_dict_row *nft_dict_row_meet(struct nft_dict_table *t,
						     const struct nft_dict_key *key)
{
	struct nft_dict_row *row = nft_dict_row_find(t, key);

	if (unlikely(row && READ_ONCE(row->link.flags) & NFT_DICT_LINK_WEAK))
		return nft_dict_session_meet(t, row);
	return row;
}

static inline const struct nft_dict_slot *nft_dict_slots(const struct nft_dict_cells *c)
{
	return (const struct nft_dict_slot *)&c->map[c->words];
}

static inline void nft_dict_slot_get(const struct nft_dict_cells *c, unsigned int i,
				     struct nft_dict_value *v)
{
	const struct nft_dict_slot *slot = nft_dict_slots(c) + i;

	v->data = (const char *)c + slot->offset;
	v->type = slot->type;
	v->len = slot->len;
}

/* nft_dict_cells_get - look a field's value up; false if there is none. */
static inline bool nft_dict_cells_get(const struct nft_dict_cells *c, unsigned int field,
				      struct nft_dict_value *v)
{
	unsigned int word = BIT_WORD(field), rank, i;
	unsigned long bit = BIT_MASK(field);

	if (!c || word >= c->words || !(c->map[word] & bit))
		return false;
	rank = hweight_long(c->map[word] & (bit - 1));
	for (i = 0; i < word; i++)
		rank += hweight_long(c->map[i]);
	nft_dict_slot_get(c, rank, v);
	v->field = field;
	return true;
}

#endif /* _NFT_DICT_FIND_H */
