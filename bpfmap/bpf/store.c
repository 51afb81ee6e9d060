// SPDX-License-Identifier: GPL-2.0-only

/* The writer: does what user space asks of a table, many rows at a run. A run
 * cannot be cut in half, so neither can a row, whatever becomes of the process
 * that asked. Requests and answers lie in an area that the process has mapped.
 *
 * Writers of user space take the lock of the row's key, which makes a row's
 * cells change together for them and for readers. Programs in rules take none;
 * against them a row is published, renewed and removed by swapping its word.
 */
#include "add.h"
#include "get.h"

static __always_inline int renew(struct row_req *q)
{
	struct row *r = bpf_map_lookup_elem(&rows, q->key);
	__u64 word, next, seen;

	if (!r)
		return -ENOENT;
	word = READ(r->word);
	for (int i = 0; i < TRIES; i++) {
		if (!is_alive(word))
			return -ENOENT;
		next = generation_of(word) | end_tick(q->life);
		seen = __sync_val_compare_and_swap(&r->word, word, next);
		if (seen == word)
			return 0;
		word = seen;
	}
	return -EAGAIN;
}

static __always_inline int delete(struct row_req *q)
{
	struct row *r = bpf_map_lookup_elem(&rows, q->key);
	__u64 word;

	for (int i = 0; r && i < TRIES; i++) {
		word = READ(r->word);
		if (!word)
			return -ENOENT;
		if (remove_row(r, q->key, word))
			return is_alive(word) ? 0 : -ENOENT;
	}
	return r ? -EAGAIN : -ENOENT;
}

static __always_inline int sweep(struct row_req *q)
{
	struct row *r = bpf_map_lookup_elem(&rows, q->key);
	__u64 word = q->row.row.word;

	if (!r || is_alive(word))
		return -ENOENT;
	return remove_row(r, q->key, word) ? 0 : -ENOENT;
}

/* bpf_loop callback: looks whether the cell is there. */
static long find_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	tag = w->generation | (c->field & 0xff);
	if (bpf_map_lookup_elem(&cells, &tag) || bpf_map_lookup_elem(&strings, &tag))
		return 0;
	c->state = NEW; /* tells user space which one */
	a->error = -ENOENT;
	return 1;
}

/* bpf_loop callback: removes the cell. */
static long drop_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;

	c = this_cell(a, w, i);
	if (!c)
		return 1;
	tag = w->generation | (c->field & 0xff);
	bpf_map_delete_elem(&cells, &tag);
	bpf_map_delete_elem(&strings, &tag);
	return 0;
}

static __always_inline int unset(struct area *a, struct table_state *s, struct row_req *q, struct work *w)
{
	struct row *r = bpf_map_lookup_elem(&rows, q->key);
	__u64 word;

	if (!r)
		return -ENOENT;
	word = READ(r->word);
	if (!is_alive(word))
		return -ENOENT;
	w->generation = generation_of(word);
	a->error = 0;
	bpf_loop(q->count, find_cell, w, 0);
	if (!a->error)
		bpf_loop(q->count, drop_cell, w, 0);
	return a->error;
}

/* Verbs of many steps are not static, so that the verifier goes through each
 * once, and by itself.
 */
#define VERB(name, f)                                           \
	noinline int name(__u32 i)                              \
	{                                                       \
		struct area *a = the_area();                    \
		struct work w = { .row = i };                   \
		struct table_state *s;                          \
		struct row_req *q;                              \
		__u32 zero = 0;                                 \
                                                                \
		s = bpf_map_lookup_elem(&state, &zero);         \
		if (!a || !s)                                   \
			return -EINVAL;                         \
		q = row_at(a, i);                               \
		if (!q)                                         \
			return -EINVAL;                         \
		w.first = q->first;                             \
		return f(a, s, q, &w);                          \
	}

VERB(put_row, put)
VERB(add_row, add)
VERB(get_row, get)
VERB(unset_row, unset)

/* bpf_loop callback: does one request. */
static long do_row(__u32 i, void *unused)
{
	struct area *a = the_area();
	struct row_req *q;
	struct table_state *s;
	__u32 zero = 0;
	int err;

	s = bpf_map_lookup_elem(&state, &zero);
	if (!a || !s)
		return 1;
	q = row_at(a, i);
	if (!q)
		return 1;
	if (!lock(s, q->lock)) {
		q->error = -EAGAIN;
		return 0;
	}
	switch (q->verb) {
	case PUT:
		err = put_row(i);
		break;
	case ADD:
		err = add_row(i);
		break;
	case RENEW:
		err = renew(q);
		break;
	case GET:
		err = get_row(i);
		break;
	case DELETE:
		err = delete(q);
		break;
	case UNSET:
		err = unset_row(i);
		break;
	case SWEEP:
		err = sweep(q);
		break;
	default:
		err = -EINVAL;
	}
	unlock(s, q->lock);
	if (!err && q->verb != GET && q->verb != RENEW)
		changed(s);
	q->error = err;
	return 0;
}

SEC("syscall")
int run(void *ctx)
{
	struct area *a = the_area();

	if (!a)
		return 0;
	a->next = 0;
	bpf_loop(a->rows, do_row, NULL, 0);
	return 0;
}

/* bpf_loop callback: waits, as far as it may, until a lock was free once. */
static long pass_lock(__u32 i, int *busy)
{
	struct table_state *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&state, &zero);
	if (!s)
		return 1;
	if (!lock(s, i)) {
		*busy = 1;
		return 1;
	}
	unlock(s, i);
	return 0;
}

/* Returns 0 if every writer of user space that was at work when it began has
 * ended, 1 if that is not known: try again.
 */
SEC("syscall")
int quiesce(void *ctx)
{
	int busy = 0;

	bpf_loop(LOCKS, pass_lock, &busy, 0);
	return busy;
}

char terms[] SEC("license") = "Dual MIT/GPL";
