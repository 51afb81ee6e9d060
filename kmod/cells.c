// SPDX-License-Identifier: GPL-2.0-only
/* The block that holds a row's values. */
#include <linux/bitmap.h>
#include <linux/string.h>

#include "find.h"
#include "nft_dict.h"

/* nft_dict_cells_next - find the next value of field @field or one after it,
 * and step on. Start with a @field of 0.
 */
bool nft_dict_cells_next(const struct nft_dict_cells *c, unsigned int *field,
			 struct nft_dict_value *v)
{
	unsigned int bits = c ? c->words * BITS_PER_LONG : 0;
	unsigned int next;

	if (*field >= bits)
		return false;
	next = find_next_bit(c->map, bits, *field);
	if (next >= bits)
		return false;
	*field = next + 1;
	return nft_dict_cells_get(c, next, v);
}

/*
 * A merge of old values with changes, both in the order of fields; of a change
 * without a type nothing is left. It is gone through twice, first to measure
 * and then to fill.
 */
struct nft_dict_merge {
	const struct nft_dict_cells	*old;
	const struct nft_dict_value	*change;
	unsigned int			left; /* changes */
	unsigned int			slot, field; /* position in old */
};

static bool nft_dict_merge_next(struct nft_dict_merge *m, struct nft_dict_value *v)
{
	unsigned int bits = m->old ? m->old->words * BITS_PER_LONG : 0;

	for (;;) {
		unsigned int next = bits;

		if (m->field < bits)
			next = find_next_bit(m->old->map, bits, m->field);
		m->field = next;
		if (m->left && (next >= bits || m->change->field <= next)) {
			*v = *m->change++;
			m->left--;
			if (next < bits && v->field == next) {
				m->slot++;
				m->field++;
			}
			if (v->type)
				return true;
			continue;
		}
		if (next >= bits)
			return false;
		nft_dict_slot_get(m->old, m->slot++, v);
		v->field = next;
		m->field++;
		return true;
	}
}

static unsigned int nft_dict_value_align(const struct nft_dict_value *v)
{
	switch (v->type) {
	case NFT_DICT_TYPE_INT64:
		return sizeof(s64);
	case NFT_DICT_TYPE_INT:
	case NFT_DICT_TYPE_IPV4:
	case NFT_DICT_TYPE_IPV6:
		return sizeof(u32);
	}
	return 1;
}

static unsigned int nft_dict_cells_head(unsigned int words, unsigned int count)
{
	return sizeof(struct nft_dict_cells) + words * sizeof(unsigned long) +
	       count * sizeof(struct nft_dict_slot);
}

/* nft_dict_cells_size - bytes that @old with @n changes will take, 0 if nothing
 * is left, -EFBIG if it is too much for a row.
 */
int nft_dict_cells_size(const struct nft_dict_cells *old,
			const struct nft_dict_value *change, unsigned int n)
{
	struct nft_dict_merge m = { .old = old, .change = change, .left = n };
	unsigned int count = 0, last = 0, size = 0, head;
	struct nft_dict_value v;

	/* The values begin aligned, whatever comes before them. */
	while (nft_dict_merge_next(&m, &v)) {
		size = ALIGN(size, nft_dict_value_align(&v)) + v.len;
		last = v.field;
		count++;
	}
	if (!count)
		return 0;
	if (size > NFT_DICT_MAX_ROW)
		return -EFBIG;
	head = nft_dict_cells_head(BIT_WORD(last) + 1, count);
	return ALIGN(head, sizeof(s64)) + size;
}

/* nft_dict_cells_fill - merge into a block of as many bytes as were measured. */
void nft_dict_cells_fill(struct nft_dict_cells *c, const struct nft_dict_cells *old,
			 const struct nft_dict_value *change, unsigned int n)
{
	struct nft_dict_merge m = { .old = old, .change = change, .left = n };
	unsigned int count = 0, last = 0, offset;
	struct nft_dict_slot *slot;
	struct nft_dict_value v;

	while (nft_dict_merge_next(&m, &v)) {
		last = v.field;
		count++;
	}
	c->words = BIT_WORD(last) + 1;
	c->count = count;
	bitmap_zero(c->map, c->words * BITS_PER_LONG);
	slot = (struct nft_dict_slot *)&c->map[c->words];
	offset = ALIGN(nft_dict_cells_head(c->words, count), sizeof(s64));

	m = (struct nft_dict_merge){ .old = old, .change = change, .left = n };
	while (nft_dict_merge_next(&m, &v)) {
		offset = ALIGN(offset, nft_dict_value_align(&v));
		__set_bit(v.field, c->map);
		slot->offset = offset;
		slot->type = v.type;
		slot->len = v.len;
		slot++;
		memcpy((char *)c + offset, v.data, v.len);
		offset += v.len;
	}
}
