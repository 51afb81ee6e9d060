// SPDX-License-Identifier: GPL-2.0-only
/* The block that holds a row's values. */
#include <linux/bitops.h>
#include <linux/err.h>
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
	static const u8 align[] = {
		[NFT_DICT_TYPE_BOOL]	= 1,
		[NFT_DICT_TYPE_INT]	= sizeof(u32),
		[NFT_DICT_TYPE_INT64]	= sizeof(s64),
		[NFT_DICT_TYPE_IPV4]	= sizeof(u32),
		[NFT_DICT_TYPE_IPV6]	= sizeof(u32),
		[NFT_DICT_TYPE_ETHER]	= 1,
		[NFT_DICT_TYPE_STRING]	= 1,
	};

	return align[v->type];
}

/* The values of a block, as far as its size depends on them. They begin aligned,
 * whatever comes before them.
 */
struct nft_dict_shape {
	unsigned int	count;
	unsigned int	last; /* field */
	unsigned int	size; /* of the values */
};

static inline void nft_dict_shape_add(struct nft_dict_shape *s, const struct nft_dict_value *v)
{
	s->size = ALIGN(s->size, nft_dict_value_align(v)) + v->len;
	s->last = v->field;
	s->count++;
}

static struct nft_dict_shape nft_dict_shape_merge(const struct nft_dict_cells *old,
						  const struct nft_dict_value *change,
						  unsigned int n)
{
	struct nft_dict_merge m = { .old = old, .change = change, .left = n };
	struct nft_dict_shape s = {};
	struct nft_dict_value v;

	while (nft_dict_merge_next(&m, &v))
		nft_dict_shape_add(&s, &v);
	return s;
}

/* The same where nothing is old. */
static inline struct nft_dict_shape nft_dict_shape_new(const struct nft_dict_value *change,
						       unsigned int n)
{
	struct nft_dict_shape s = {};
	unsigned int i;

	for (i = 0; i < n; i++)
		if (change[i].type)
			nft_dict_shape_add(&s, &change[i]);
	return s;
}

/* Where the values of a block begin. */
static inline unsigned int nft_dict_cells_head(unsigned int words, unsigned int count)
{
	return ALIGN(sizeof(struct nft_dict_cells) + words * sizeof(unsigned long) +
		     count * sizeof(struct nft_dict_slot), sizeof(s64));
}

/* Whether the changes only put other bytes where values are. */
static bool nft_dict_cells_alike(const struct nft_dict_cells *old,
				 const struct nft_dict_value *change, unsigned int n)
{
	struct nft_dict_value v;
	unsigned int i;

	if (!old)
		return false;
	for (i = 0; i < n; i++)
		if (!nft_dict_cells_get(old, change[i].field, &v) ||
		    v.type != change[i].type || v.len != change[i].len)
			return false;
	return true;
}

/* The bytes of a block that are used: the values are in order. */
static unsigned int nft_dict_cells_end(const struct nft_dict_cells *c)
{
	const struct nft_dict_slot *last = nft_dict_slots(c) + c->count - 1;

	return last->offset + last->len;
}

/* nft_dict_cells_size - bytes that @old with @n changes will take, 0 if nothing
 * is left, -EFBIG if it is too much for a row.
 */
int nft_dict_cells_size(const struct nft_dict_cells *old,
			const struct nft_dict_value *change, unsigned int n)
{
	struct nft_dict_shape s;

	if (nft_dict_cells_alike(old, change, n))
		return nft_dict_cells_end(old);
	s = old ? nft_dict_shape_merge(old, change, n) : nft_dict_shape_new(change, n);
	if (!s.count)
		return 0;
	if (s.size > NFT_DICT_MAX_ROW)
		return -EFBIG;
	return nft_dict_cells_head(BIT_WORD(s.last) + 1, s.count) + s.size;
}

static __always_inline void nft_dict_bytes_copy(void *to, const struct nft_dict_value *v)
{
	switch (v->len) {
	case sizeof(u8):
		*(u8 *)to = *(const u8 *)v->data;
		break;
	case sizeof(u32):
		memcpy(to, v->data, sizeof(u32));
		break;
	case sizeof(u64):
		memcpy(to, v->data, sizeof(u64));
		break;
	default:
		memcpy(to, v->data, v->len);
	}
}

static void nft_dict_cells_overwrite(struct nft_dict_cells *c, const struct nft_dict_cells *old,
				     const struct nft_dict_value *change, unsigned int n)
{
	unsigned int head = offsetof(struct nft_dict_cells, map), i;
	struct nft_dict_value v;

	c->words = old->words;
	c->count = old->count;
	memcpy((char *)c + head, (const char *)old + head, nft_dict_cells_end(old) - head);
	for (i = 0; i < n; i++)
		if (nft_dict_cells_get(c, change[i].field, &v))
			nft_dict_bytes_copy((void *)v.data, &change[i]);
}

/* Begin to fill a block, and return where its first value goes. */
static inline unsigned int nft_dict_cells_begin(struct nft_dict_cells *c, unsigned int last,
						unsigned int count)
{
	unsigned int i;

	c->words = BIT_WORD(last) + 1;
	c->count = count;
	for (i = 0; i < c->words; i++)
		c->map[i] = 0;
	return nft_dict_cells_head(c->words, count);
}

/* Append a value at @offset, and return where the next goes. */
static inline unsigned int nft_dict_cells_append(struct nft_dict_cells *c,
						 struct nft_dict_slot *slot, unsigned int offset,
						 const struct nft_dict_value *v)
{
	offset = ALIGN(offset, nft_dict_value_align(v));
	c->map[BIT_WORD(v->field)] |= BIT_MASK(v->field);
	slot->offset = offset;
	slot->type = v->type;
	slot->len = v->len;
	nft_dict_bytes_copy((char *)c + offset, v);
	return offset + v->len;
}

static void nft_dict_cells_fill_new(struct nft_dict_cells *c, const struct nft_dict_value *change,
				    unsigned int n)
{
	unsigned int count = 0, last = 0, offset, i;
	struct nft_dict_slot *slot;

	for (i = 0; i < n; i++) {
		if (!change[i].type)
			continue;
		last = change[i].field;
		count++;
	}
	offset = nft_dict_cells_begin(c, last, count);
	slot = (struct nft_dict_slot *)&c->map[c->words];
	for (i = 0; i < n; i++)
		if (change[i].type)
			offset = nft_dict_cells_append(c, slot++, offset, &change[i]);
}

static void nft_dict_cells_fill_merge(struct nft_dict_cells *c, const struct nft_dict_cells *old,
				      const struct nft_dict_value *change, unsigned int n)
{
	struct nft_dict_merge m = { .old = old, .change = change, .left = n };
	struct nft_dict_shape s = nft_dict_shape_merge(old, change, n);
	struct nft_dict_slot *slot;
	struct nft_dict_value v;
	unsigned int offset;

	offset = nft_dict_cells_begin(c, s.last, s.count);
	slot = (struct nft_dict_slot *)&c->map[c->words];
	while (nft_dict_merge_next(&m, &v))
		offset = nft_dict_cells_append(c, slot++, offset, &v);
}

/* nft_dict_cells_fill - merge into a block of as many bytes as were measured. */
void nft_dict_cells_fill(struct nft_dict_cells *c, const struct nft_dict_cells *old,
			 const struct nft_dict_value *change, unsigned int n)
{
	if (!old)
		nft_dict_cells_fill_new(c, change, n);
	else if (nft_dict_cells_alike(old, change, n))
		nft_dict_cells_overwrite(c, old, change, n);
	else
		nft_dict_cells_fill_merge(c, old, change, n);
}

/* nft_dict_cells_keep - keep what comes before the values of a block, which has
 * some, for nft_dict_cells_fill_again.
 */
void nft_dict_cells_keep(const struct nft_dict_cells *c, void *head)
{
	const unsigned int skip = offsetof(struct nft_dict_cells, words);

	memcpy(head, (const char *)c + skip, nft_dict_slots(c)->offset - skip);
}

/* nft_dict_cells_fill_again - fill a block with values of the same fields, types
 * and lengths as one that was kept; both have the same size.
 */
void nft_dict_cells_fill_again(struct nft_dict_cells *c, const void *head,
			       const struct nft_dict_value *v)
{
	const unsigned int skip = offsetof(struct nft_dict_cells, words);
	const struct nft_dict_slot *slot;
	const struct nft_dict_cells *kept = head - skip;
	unsigned int i;

	memcpy((char *)c + skip, head, nft_dict_slots(kept)->offset - skip);
	slot = nft_dict_slots(c);
	for (i = 0; i < c->count; i++)
		nft_dict_bytes_copy((char *)c + slot[i].offset, &v[i]);
}

/* nft_dict_cells_alloc - allocate a block, -ENOMEM or -ENOBUFS. */
struct nft_dict_cells *nft_dict_cells_alloc(struct nft_dict_table *t, size_t size, gfp_t gfp)
{
	struct nft_dict_cells *c = nft_dict_alloc(t, size, gfp);

	if (!IS_ERR(c))
		c->bytes = size;
	return c;
}

/* nft_dict_cells_free - free a block, NULL for none, that nobody has seen. */
void nft_dict_cells_free(struct nft_dict_table *t, struct nft_dict_cells *c)
{
	if (c)
		nft_dict_free(t, c, c->bytes);
}
