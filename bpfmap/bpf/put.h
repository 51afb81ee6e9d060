// SPDX-License-Identifier: GPL-2.0-only

/* How the writer puts a row: all of it or nothing. */
#ifndef NFTDICT_PUT_H
#define NFTDICT_PUT_H

#include "area.h"

#define try_update(a, map, key, value, flags) \
	(++(a)->allocations == (a)->fail_at ? -ENOMEM : update_elem(map, key, value, flags))

/* The number of no field. */
#define SPARE FIELDS

/* bpf_loop callback: adds the cell if the row has none of that field and
 * shape, so that whatever can fail for lack of room fails here.
 */
static long add_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;
	long err;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	tag = w->generation | (c->field & 0xff);
	c->value.head = head_of(tag, c->type);
	c->state = OLD;
	if (c->type == STRING)
		err = try_update(a, &strings, &tag, &c->value, BPF_NOEXIST);
	else
		err = try_update(a, &cells, &tag, &c->value, BPF_NOEXIST);
	if (!err) {
		c->state = NEW;
		return 0;
	}
	if (err != -EEXIST) {
		a->error = err;
		return 1;
	}
	if (c->type == STRING)
		a->wide++;
	else
		a->narrow++;
	return 0;
}

/* bpf_loop callback: takes back what add_cell added. */
static long undo_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	if (c->state != NEW)
		return 0;
	c->state = OLD;
	tag = tag_of(c->value.head);
	if (c->type == STRING)
		bpf_map_delete_elem(&strings, &tag);
	else
		bpf_map_delete_elem(&cells, &tag);
	return 0;
}

/* Makes sure that several cells can be replaced, or none. The kernel takes a
 * new element for each and gives the old one back, for the very next to take. So
 * one element to begin with is enough for all of a map: it is there once one was
 * added and removed. A map that is full has no place for one; its elements can be
 * replaced nevertheless.
 */
static __always_inline int reserve(struct area *a, struct work *w)
{
	__u64 tag = w->generation | SPARE;
	struct cell_req *c;
	int err = 0;

	if (a->narrow + a->wide < 2)
		return 0;
	c = cell_at(a, w->first);
	if (!c)
		return -EINVAL;
	if (a->narrow)
		err = try_update(a, &cells, &tag, &c->value, BPF_ANY);
	if (a->wide && (!err || err == -E2BIG))
		err = try_update(a, &strings, &tag, &c->value, BPF_ANY);
	bpf_map_delete_elem(&cells, &tag);
	bpf_map_delete_elem(&strings, &tag);
	return err == -E2BIG ? 0 : err;
}

/* bpf_loop callback: gives a cell that was there its new value. Never in place:
 * a program in a rule may remove the row meanwhile, and the element may be
 * another's by then.
 */
static long set_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;
	long err;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	if (c->state != OLD)
		return 0;
	tag = tag_of(c->value.head);
	if (a->narrow + a->wide < 2 && ++a->allocations == a->fail_at)
		err = -ENOMEM;
	else if (c->type == STRING)
		err = update_elem(&strings, &tag, &c->value, BPF_ANY);
	else
		err = update_elem(&cells, &tag, &c->value, BPF_ANY);
	if (err) {
		a->error = err;
		return 1;
	}
	a->replaced++;
	return 0;
}

/* bpf_loop callback: removes the cell of the same field and the other shape. */
static long drop_other(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	tag = tag_of(c->value.head);
	if (c->type == STRING)
		bpf_map_delete_elem(&cells, &tag);
	else
		bpf_map_delete_elem(&strings, &tag);
	return 0;
}

static __always_inline void note_cells(struct row *r, struct row_req *q)
{
#pragma unroll
	for (int i = 0; i < FIELDS / 64; i++) {
		if (q->row.row.fields[i] & ~READ(r->fields[i]))
			__sync_fetch_and_or(&r->fields[i], q->row.row.fields[i]);
	}
}

/* Whether a row of this word was alive when the request looked at it: then its
 * generation is the one written to.
 */
static __always_inline bool is_of(__u64 word, const struct work *w)
{
	return word && generation_of(word) == w->generation;
}

/* Finds the row, if there is one, and the generation to write to: that of the
 * row if it is alive, else a new one.
 */
static __always_inline int begin_row(struct area *a, struct table_state *s, struct row_req *q, struct work *w,
				     struct row **r, __u64 *word)
{
	*word = 0;
	*r = bpf_map_lookup_elem(&rows, q->key);
	if (*r) {
		*word = READ((*r)->word);
		if (!*word)
			return -EAGAIN;
	}
	w->generation = is_alive(*word) ? generation_of(*word) : new_generation(s);
	a->error = 0;
	a->narrow = 0;
	a->wide = 0;
	a->replaced = 0;
	a->allocations = 0;
	return 0;
}

/* Gives a row another end. Others may do so meanwhile, but not end it. Not static,
 * so that the verifier goes through it once for all its callers.
 */
noinline int extend(struct row *r, __u64 word, __u64 next)
{
	__u64 seen;

	if (!r)
		return -EAGAIN;
	for (int i = 0; i < TRIES; i++) {
		seen = __sync_val_compare_and_swap(&r->word, word, next);
		if (seen == word)
			return 0;
		if (generation_of(seen) != generation_of(next))
			break;
		word = seen;
	}
	return -EAGAIN;
}

/* Makes the row answer for the cells that were written. The request has set the
 * bits of its fields. The life of a row that is alive begins anew if renew says
 * so.
 */
static __always_inline int end_row(struct area *a, struct row_req *q, struct work *w, struct row *r, __u64 word,
				   bool renew)
{
	__u64 next = w->generation | end_tick(q->life);
	struct removal gone = {};
	int err;

	if (!r) {
		q->row.row.word = next;
		err = try_update(a, &rows, q->key, &q->row, BPF_NOEXIST);
		return err == -EEXIST ? -EAGAIN : err;
	}
	if (!is_of(word, w)) {
#pragma unroll
		for (int i = 0; i < FIELDS / 64; i++)
			gone.fields[i] = READ(r->fields[i]);
		gone.generation = generation_of(word);
		note_cells(r, q);
		if (__sync_val_compare_and_swap(&r->word, word, next) != word)
			return -EAGAIN;
		bpf_loop(FIELDS, remove_field, &gone, 0);
		return 0;
	}
	note_cells(r, q);
	if (!renew)
		return generation_of(READ(r->word)) == w->generation ? 0 : -EAGAIN;
	return extend(r, word, next);
}

/* One try to put a row; -EAGAIN if a program in a rule was faster. */
static __always_inline int try_put(struct area *a, struct table_state *s, struct row_req *q, struct work *w)
{
	struct row *r;
	__u64 word;
	int err;

	err = begin_row(a, s, q, w, &r, &word);
	if (err)
		return err;
	bpf_loop(q->count, add_cell, w, 0);
	if (!a->error)
		a->error = reserve(a, w);
	if (!a->error && a->narrow + a->wide)
		bpf_loop(q->count, set_cell, w, 0);
	err = a->error;
	if (err && !a->replaced)
		goto undo;
	if (r && is_of(word, w))
		bpf_loop(q->count, drop_other, w, 0);
	err = end_row(a, q, w, r, word, true);
	if (!err)
		return a->error;
undo:
	bpf_loop(q->count, undo_cell, w, 0);
	return err;
}

/* What the tries to put have in common. */
struct putting {
	struct area *area;
	struct table_state *state;
	struct row_req *request;
	struct work *work;
	int error; /* of the last one */
};

/* bpf_loop callback: one try to put; again if somebody else was faster. */
static long put_once(__u32 i, struct putting *p)
{
	p->error = try_put(p->area, p->state, p->request, p->work);
	return p->error != -EAGAIN;
}

static __always_inline int put(struct area *a, struct table_state *s, struct row_req *q, struct work *w)
{
	struct putting p = { .area = a, .state = s, .request = q, .work = w, .error = -EAGAIN };

	bpf_loop(TRIES, put_once, &p, 0);
	return p.error;
}

#endif
