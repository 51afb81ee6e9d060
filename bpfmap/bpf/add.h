// SPDX-License-Identifier: GPL-2.0-only

/* How the writer adds to the numbers of a row: to all or to none, and exactly,
 * though programs in rules add to the same numbers meanwhile. A number that is
 * there is swapped in place, as they do it.
 */
#ifndef NFTDICT_ADD_H
#define NFTDICT_ADD_H

#include "number.h"
#include "put.h"

/* A swap fails only where another succeeded; so often in a row it does not. */
#define SWAPS 4096

/* The amount in a request. */
#define amount_of(c) ((c)->value.digest[0])

/* a + b. Not static, so that the verifier goes through it once for all its callers. */
noinline __u64 total(__u64 a, __u64 b, __u32 type)
{
	return saturated(a, b, false, type);
}

/* bpf_loop callback: adds a cell where the row has none of that field, and
 * looks what the others are, so that mostly what can fail for lack of room
 * fails here.
 */
static long start_sum(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	struct cell n = {};
	struct cell *old;
	__u64 tag;
	long err;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	tag = w->generation | (c->field & 0xff);
	n.head = head_of(tag, c->type);
	n.data[0] = total(c->start, amount_of(c), c->type);
	c->value.head = n.head;
	c->state = OLD;
	err = try_update(a, &cells, &tag, &n, BPF_NOEXIST);
	if (!err) {
		c->state = NEW;
		return 0;
	}
	if (err != -EEXIST) {
		a->error = err;
		return 1;
	}
	old = bpf_map_lookup_elem(&cells, &tag);
	if (old && READ(old->head) != n.head) {
		c->state = OTHER;
		a->narrow++;
	}
	return 0;
}

struct swapping {
	__u64 tag;
	__u64 head;
	__u64 amount;
	__u64 by;
	__u32 type;
	__s32 error;
};

/* bpf_loop callback: one try to add to the number that is there. */
static long try_swap(__u32 i, struct swapping *s)
{
	__u64 tag = s->tag, old, next;
	struct cell *c;

	c = bpf_map_lookup_elem(&cells, &tag);
	/* Gone with its row, or of another type by now. */
	if (!c || READ(c->head) != s->head)
		return 1;
	old = READ(c->data[0]);
	next = total(old, s->amount, s->type);
	if (__sync_val_compare_and_swap(&c->data[0], old, next) != old)
		return 0;
	if (READ(c->head) != s->head) {
		/* The element was reused in this very moment: give back. */
		__sync_fetch_and_add(&c->data[0], old - next);
		return 0;
	}
	s->by = next - old;
	s->error = 0;
	return 1;
}

/* bpf_loop callback: adds to a number that was there. */
static long sum_cell(__u32 i, struct work *w)
{
	struct swapping s = { .error = -EAGAIN };
	struct area *a = the_area();
	struct cell_req *c;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	if (c->state != OLD)
		return 0;
	s.head = c->value.head;
	s.tag = tag_of(s.head);
	s.amount = amount_of(c);
	s.type = c->type;
	bpf_loop(SWAPS, try_swap, &s, 0);
	if (s.error) {
		a->error = s.error;
		return 1;
	}
	c->by = s.by;
	c->state = SUMMED;
	return 0;
}

/* bpf_loop callback: puts the amount where a value of another type is. */
static long replace_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	struct cell n = {};
	__u64 tag;
	long err;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	if (c->state != OTHER)
		return 0;
	n.head = c->value.head;
	n.data[0] = amount_of(c);
	tag = tag_of(n.head);
	if (a->narrow < 2 && ++a->allocations == a->fail_at)
		err = -ENOMEM;
	else
		err = update_elem(&cells, &tag, &n, BPF_ANY);
	if (err) {
		a->error = err;
		return 1;
	}
	a->replaced++;
	return 0;
}

/* bpf_loop callback: takes back what was added to a number. */
static long give_back(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	struct cell *n;
	__u64 tag;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	if (c->state != SUMMED)
		return 0;
	c->state = OLD;
	tag = tag_of(c->value.head);
	n = bpf_map_lookup_elem(&cells, &tag);
	if (n && READ(n->head) == c->value.head)
		__sync_fetch_and_add(&n->data[0], -c->by);
	return 0;
}

/* One try to add to a row; -EAGAIN if a program in a rule was faster. */
static __always_inline int try_add(struct area *a, struct table_state *s, struct row_req *q, struct work *w)
{
	struct row *r;
	__u64 word;
	int err;

	err = begin_row(a, s, q, w, &r, &word);
	if (err)
		return err;
	bpf_loop(q->count, start_sum, w, 0);
	if (!a->error)
		a->error = reserve(a, w);
	if (!a->error)
		bpf_loop(q->count, sum_cell, w, 0);
	if (!a->error && a->narrow)
		bpf_loop(q->count, replace_cell, w, 0);
	err = a->error;
	if (err && !a->replaced)
		goto undo;
	if (r && is_of(word, w))
		bpf_loop(q->count, drop_other, w, 0);
	err = end_row(a, q, w, r, word, false);
	if (!err)
		return a->error;
undo:
	bpf_loop(q->count, give_back, w, 0);
	bpf_loop(q->count, undo_cell, w, 0);
	return err;
}

/* bpf_loop callback: one try to add; again if somebody else was faster. */
static long add_once(__u32 i, struct putting *p)
{
	p->error = try_add(p->area, p->state, p->request, p->work);
	return p->error != -EAGAIN;
}

static __always_inline int add(struct area *a, struct table_state *s, struct row_req *q, struct work *w)
{
	struct putting p = { .area = a, .state = s, .request = q, .work = w, .error = -EAGAIN };

	bpf_loop(TRIES, add_once, &p, 0);
	return p.error;
}

#endif
