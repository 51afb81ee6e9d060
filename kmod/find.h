/* SPDX-License-Identifier: GPL-2.0-only */
/* How rows and their values are found: what every packet does, so it is inline. */
#ifndef _NFT_DICT_FIND_H
#define _NFT_DICT_FIND_H

#include <linux/bitops.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>

#include "compat.h"
#include "nft_dict.h"

static inline unsigned int nft_dict_key_words(const struct nft_dict_key *key)
{
	return DIV_ROUND_UP(key->len, sizeof(u32));
}

/* Most keys are one word or, in bound tables, a pointer. */
static __always_inline u32 nft_dict_key_hash(const void *data, u32 len, u32 seed)
{
	const struct nft_dict_key *key = data;
	unsigned int words = nft_dict_key_words(key);

	if (words == 1)
		return jhash_1word(key->data[0], seed);
	if (words == 2)
		return jhash_2words(key->data[0], key->data[1], seed);
	return jhash2(key->data, words, seed);
}

/* Where the block of a row's first values is, if there is one: behind the key. */
static inline struct nft_dict_cells *nft_dict_row_first(const struct nft_dict_row *row)
{
	return (void *)row + ALIGN(offsetof(struct nft_dict_row, key.data) +
				   nft_dict_key_words(&row->key) * sizeof(u32),
				   __alignof__(struct nft_dict_cells));
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

/*
 * The same for keys whose length is known; for lookups only, since what inserts
 * rows has to do with the parameters of the table. The keys are laid out as struct
 * nft_dict_key is, because where the compiler does not inline the lookup it is the
 * table's function that hashes them.
 */
static_assert(offsetof(struct nft_dict_key, data) == sizeof(u32));

static inline u32 nft_dict_word_hash(const void *data, u32 len, u32 seed)
{
	const u32 *key = data;

	return jhash_1word(key[1], seed);
}

static inline int nft_dict_word_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nft_dict_row *row = obj;
	const u32 *key = arg->key;

	return row->key.data[0] != key[1] || row->key.len != sizeof(u32);
}

static const struct rhashtable_params nft_dict_word_params = {
	.head_offset		= offsetof(struct nft_dict_row, node),
	.hashfn			= nft_dict_word_hash,
	.obj_hashfn		= nft_dict_row_hash,
	.obj_cmpfn		= nft_dict_word_cmp,
	.automatic_shrinking	= true,
};

/* nft_dict_row_find_word - find the row of a key of 4 bytes, under RCU. */
static inline struct nft_dict_row *nft_dict_row_find_word(struct nft_dict_table *t, u32 word)
{
	const u32 key[] = { sizeof(word), word };

	return rhashtable_lookup(&t->ht, key, nft_dict_word_params);
}

static inline u32 nft_dict_entry_hash(const void *data, u32 len, u32 seed)
{
	const u32 *key = data;

	if (sizeof(struct nf_conn *) == sizeof(u32))
		return jhash_1word(key[1], seed);
	return jhash_2words(key[1], key[sizeof(struct nf_conn *) / sizeof(u32)], seed);
}

static inline int nft_dict_entry_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nft_dict_row *row = obj;
	const u32 *key = arg->key;

	return memcmp(row->key.data, key + 1, sizeof(struct nf_conn *));
}

/* The rows of bound tables by their entries. */
static const struct rhashtable_params nft_dict_entry_params = {
	.head_offset		= offsetof(struct nft_dict_row, node),
	.hashfn			= nft_dict_entry_hash,
	.obj_hashfn		= nft_dict_row_hash,
	.obj_cmpfn		= nft_dict_entry_cmp,
	.automatic_shrinking	= true,
};

/* nft_dict_row_meet_entry - find the row of a packet's entry in a bound table,
 * under RCU.
 */
static inline struct nft_dict_row *nft_dict_row_meet_entry(struct nft_dict_table *t,
							   const struct nf_conn *ct)
{
	u32 key[1 + sizeof(ct) / sizeof(u32)] = { sizeof(ct) };
	struct nft_dict_row *row;

	memcpy(key + 1, &ct, sizeof(ct));
	row = rhashtable_lookup(&t->ht, key, nft_dict_entry_params);
	if (unlikely(row && READ_ONCE(row->link.flags) & NFT_DICT_LINK_WEAK))
		return nft_dict_session_meet(t, row);
	return row;
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
static __always_inline bool nft_dict_cells_get(const struct nft_dict_cells *c,
					       unsigned int field, struct nft_dict_value *v)
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

/* nft_dict_value_read - nft_dict_value_number for what rules ask for most. */
static inline s64 nft_dict_value_read(const struct nft_dict_value *v)
{
	if (v->type == NFT_DICT_TYPE_BOOL)
		return *(const u8 *)v->data;
	if (v->type == NFT_DICT_TYPE_INT)
		return (s32)get_unaligned((const u32 *)v->data);
	return nft_dict_value_number(v);
}

#endif /* _NFT_DICT_FIND_H */
