// SPDX-License-Identifier: GPL-2.0-only

/* How the writer reads a row for user space, under the row's lock. */
#ifndef NFTDICT_GET_H
#define NFTDICT_GET_H

#include "area.h"

/* Copies a value whose element may be reused while it is read. */
#define copy_value(to, from, tag)                                   \
	({                                                          \
		__u64 head = READ((from)->head);                    \
		__builtin_memcpy((to), (from), sizeof(*(from)));    \
		barrier();                                          \
		tag_of(head) == (tag) && READ((from)->head) == head; \
	})

/* Appends one cell of a row to the area. Not static, so that the verifier goes
 * through it once for all its callers.
 */
noinline int read_field(__u32 row, __u64 tag)
{
	struct area *a = the_area();
	struct cell_req *c;
	struct row_req *q;
	struct cell *n;
	struct text *t;

	if (!a)
		return -EINVAL;
	q = row_at(a, row);
	if (!q)
		return -EINVAL;
	c = cell_at(a, a->next);
	if (!c)
		return -ENOSPC;
	for (int i = 0; i < TRIES; i++) {
		n = bpf_map_lookup_elem(&cells, &tag);
		if (n) {
			if (!copy_value((struct cell *)&c->value, n, tag))
				continue;
		} else {
			t = bpf_map_lookup_elem(&strings, &tag);
			if (!t)
				return 0;
			if (!copy_value(&c->value, t, tag))
				continue;
		}
		c->field = tag & 0xff;
		c->type = c->value.head >> TYPE_SHIFT & 0xff;
		a->next++;
		q->count++;
		return 0;
	}
	return -EAGAIN;
}

struct reading {
	__u64 generation;
	__u64 fields[FIELDS / 64];
	__u32 row;
	__s32 error;
};

/* bpf_loop callback: reads one field that may be there. */
static long get_field(__u32 i, struct reading *g)
{
	__u64 tag;

#pragma unroll
	for (int w = 0; w < FIELDS / 64; w++) {
		if (!g->fields[w])
			continue;
		tag = g->generation | (w * 64 + lowest(g->fields[w]));
		g->fields[w] &= g->fields[w] - 1;
		g->error = read_field(g->row, tag);
		return g->error != 0;
	}
	return 1;
}

static __always_inline int get(struct area *a, struct table_state *s, struct row_req *q, struct work *w)
{
	struct row *r = bpf_map_lookup_elem(&rows, q->key);
	struct reading g = { .row = w->row };

	q->first = a->next;
	q->count = 0;
	if (!r)
		return -ENOENT;
	q->row.row.word = READ(r->word);
	if (!is_alive(q->row.row.word))
		return -ENOENT;
	g.generation = generation_of(q->row.row.word);
#pragma unroll
	for (int i = 0; i < FIELDS / 64; i++)
		g.fields[i] = READ(r->fields[i]);
	bpf_loop(FIELDS, get_field, &g, 0);
	if (g.error)
		a->next = q->first;
	else if (generation_of(READ(r->word)) != g.generation)
		g.error = -EAGAIN;
	return g.error;
}

#endif
