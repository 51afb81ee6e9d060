// SPDX-License-Identifier: GPL-2.0-only

/* How the writer puts a row: all of it or nothing. */
#ifndef NFTDICT_PUT_H
#define NFTDICT_PUT_H

#include "area.h"

/* bpf_loop callback: adds the cell if the row has none of that field and
 * shape, so that whatever can fail for lack of room fails here.
 */
static long add_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;
	long err;

	if (!a)
		return 1;
	c = cell_at(a, w->first + i);
	if (!c) {
		w->error = -EINVAL;
		return 1;
	}
	tag = w->generation | (c->field & 0xff);
	c->value.head = head_of(tag, c->type);
	c->state = OLD;
	if (c->type == STRING)
		err = update_elem(&strings, &tag, &c->value, BPF_NOEXIST);
	else
		err = update_elem(&cells, &tag, &c->value, BPF_NOEXIST);
	if (err && err != -EEXIST) {
		w->error = err;
		return 1;
	}
	if (!err)
		c->state = NEW;
	return 0;
}

/* bpf_loop callback: takes back what add_cell added. */
static long undo_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;

	if (!a)
		return 1;
	c = cell_at(a, w->first + i);
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

/* bpf_loop callback: gives a cell that was there its new value, and removes the
 * cell of the other shape. Never in place: a program in a rule may remove the
 * row meanwhile, and the element may be another's by then.
 */
static long set_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;
	long err = 0;

	if (!a)
		return 1;
	c = cell_at(a, w->first + i);
	if (!c)
		return 1;
	tag = tag_of(c->value.head);
	if (c->type == STRING) {
		if (c->state == OLD)
			err = update_elem(&strings, &tag, &c->value, BPF_ANY);
		bpf_map_delete_elem(&cells, &tag);
	} else {
		if (c->state == OLD)
			err = update_elem(&cells, &tag, &c->value, BPF_ANY);
		bpf_map_delete_elem(&strings, &tag);
	}
	if (err)
		w->error = err;
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

/* One try to put a row; -EAGAIN if a program in a rule was faster. The request
 * has set the bits of its fields.
 */
static __always_inline int try_put(struct table_state *s, struct row_req *q, struct work *w)
{
	struct removal gone = {};
	struct row *r;
	__u64 word = 0, next;
	bool alive;
	long err;

	r = bpf_map_lookup_elem(&rows, q->key);
	if (r) {
		word = READ(r->word);
		if (!word)
			return -EAGAIN;
	}
	alive = is_alive(word);
	w->generation = alive ? generation_of(word) : new_generation(s);
	w->error = 0;
	next = w->generation | end_tick(q->life);

	bpf_loop(q->count, add_cell, w, 0);
	if (w->error) {
		err = w->error;
		goto undo;
	}
	if (alive)
		bpf_loop(q->count, set_cell, w, 0);

	if (!r) {
		q->row.row.word = next;
		err = update_elem(&rows, q->key, &q->row, BPF_NOEXIST);
		if (err) {
			if (err == -EEXIST)
				err = -EAGAIN;
			goto undo;
		}
		return w->error;
	}
	if (!alive) {
#pragma unroll
		for (int i = 0; i < FIELDS / 64; i++)
			gone.fields[i] = READ(r->fields[i]);
		gone.generation = generation_of(word);
	}
	note_cells(r, q);
	/* Others may renew the row meanwhile, but not end it. */
	for (int i = 0; i < TRIES; i++) {
		__u64 seen = __sync_val_compare_and_swap(&r->word, word, next);

		if (seen == word) {
			if (!alive)
				bpf_loop(FIELDS, remove_field, &gone, 0);
			return w->error;
		}
		if (!alive || generation_of(seen) != w->generation)
			break;
		word = seen;
	}
	err = -EAGAIN;
undo:
	bpf_loop(q->count, undo_cell, w, 0);
	return err;
}

static __always_inline int put(struct table_state *s, struct row_req *q, struct work *w)
{
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && err == -EAGAIN; i++)
		err = try_put(s, q, w);
	return err;
}

#endif
