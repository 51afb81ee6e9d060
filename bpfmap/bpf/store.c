// SPDX-License-Identifier: GPL-2.0-only

/* The writer: does what user space asks of a table, many rows at a run. A run
 * cannot be cut in half, so neither can a row, whatever becomes of the process
 * that asked. Requests and answers lie in an area that the process has mapped.
 *
 * Writers of user space take the lock of the row's key, which makes a row's
 * cells change together for them and for readers. Programs in rules take none;
 * against them a row is published, renewed and removed by swapping its word.
 */
#include "table.h"

#define AREA_ROWS 256
#define AREA_CELLS 1024
#define TRIES 8

enum verb {
	PUT,	/* merge the cells into the row, which lives anew */
	RENEW,	/* the row lives anew, if it is alive */
	GET,	/* the row's cells, as far as there is room */
	DELETE, /* the row goes */
	UNSET,	/* the named cells go, if all are there */
	SWEEP,	/* the row goes if its word is still this one */
};

enum cell_state { OLD, NEW };

struct cell_req {
	struct text value; /* narrow values are a struct cell at its start */
	__u32 field;
	__u32 type;
	__u32 state;
	__u32 pad;
};

struct row_req {
	struct named_row row; /* in: name. out of GET: word. in of SWEEP: word */
	__u8 key[KEY_MAX];
	__u64 life; /* ns, 0 is without end */
	__u32 verb;
	__u32 lock;
	__u32 first; /* index of the first cell */
	__u32 count; /* of cells */
	__s32 error; /* out: 0 or a negative errno */
	__u32 pad;
};

struct area {
	__u32 rows; /* in: how many of them are requests */
	__u32 next; /* out of GET: cells used */
	struct row_req row[AREA_ROWS];
	struct cell_req cell[AREA_CELLS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct area);
} requests SEC(".maps");

/* What the callbacks of one row share. */
struct work {
	__u64 generation;
	__u32 row;
	__u32 first;
	__s32 error;
};

static __always_inline struct area *the_area(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&requests, &zero);
}

static __always_inline struct cell_req *cell_at(struct area *a, __u32 i)
{
	__u64 n = i;

	/* The verifier wants the very register that was compared, and only
	 * after it was.
	 */
	asm volatile("" : "+r"(n));
	if (n >= AREA_CELLS)
		return NULL;
	asm volatile("" : "+r"(n));
	return &a->cell[n];
}

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
		err = bpf_map_update_elem(&strings, &tag, &c->value, BPF_NOEXIST);
	else
		err = bpf_map_update_elem(&cells, &tag, &c->value, BPF_NOEXIST);
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
			err = bpf_map_update_elem(&strings, &tag, &c->value, BPF_ANY);
		bpf_map_delete_elem(&cells, &tag);
	} else {
		if (c->state == OLD)
			err = bpf_map_update_elem(&cells, &tag, &c->value, BPF_ANY);
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
		err = bpf_map_update_elem(&rows, q->key, &q->row, BPF_NOEXIST);
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

/* Copies a value whose element may be reused while it is read. */
#define copy_value(to, from, tag)                                   \
	({                                                          \
		__u64 head = READ((from)->head);                    \
		__builtin_memcpy((to), (from), sizeof(*(from)));    \
		barrier();                                          \
		tag_of(head) == (tag) && READ((from)->head) == head; \
	})

/* Appends one cell of the row to the area. */
static __always_inline int read_field(struct area *a, struct row_req *q, __u64 tag)
{
	struct cell_req *c = cell_at(a, a->next);
	struct cell *n;
	struct text *t;

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
	struct area *a = the_area();
	__u64 tag;

	if (!a || g->row >= AREA_ROWS)
		return 1;
#pragma unroll
	for (int w = 0; w < FIELDS / 64; w++) {
		if (!g->fields[w])
			continue;
		tag = g->generation | (w * 64 + lowest(g->fields[w]));
		g->fields[w] &= g->fields[w] - 1;
		g->error = read_field(a, &a->row[g->row], tag);
		return g->error != 0;
	}
	return 1;
}

static __always_inline int get(struct area *a, struct row_req *q, struct work *w)
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

	if (!a)
		return 1;
	c = cell_at(a, w->first + i);
	if (!c)
		return 1;
	tag = w->generation | (c->field & 0xff);
	if (bpf_map_lookup_elem(&cells, &tag) || bpf_map_lookup_elem(&strings, &tag))
		return 0;
	c->state = NEW; /* tells user space which one */
	w->error = -ENOENT;
	return 1;
}

/* bpf_loop callback: removes the cell. */
static long drop_cell(__u32 i, struct work *w)
{
	struct area *a = the_area();
	struct cell_req *c;
	__u64 tag;

	if (!a)
		return 1;
	c = cell_at(a, w->first + i);
	if (!c)
		return 1;
	tag = w->generation | (c->field & 0xff);
	bpf_map_delete_elem(&cells, &tag);
	bpf_map_delete_elem(&strings, &tag);
	return 0;
}

static __always_inline int unset(struct row_req *q, struct work *w)
{
	struct row *r = bpf_map_lookup_elem(&rows, q->key);
	__u64 word;

	if (!r)
		return -ENOENT;
	word = READ(r->word);
	if (!is_alive(word))
		return -ENOENT;
	w->generation = generation_of(word);
	w->error = 0;
	bpf_loop(q->count, find_cell, w, 0);
	if (!w->error)
		bpf_loop(q->count, drop_cell, w, 0);
	return w->error;
}

struct locking {
	struct table_state *state;
	__u32 index;
	bool held;
};

/* bpf_loop callback: one try to take a lock. Holders are never waited for
 * long: one of them may wait for this very processor.
 */
static long try_lock(__u32 i, struct locking *l)
{
	l->held = !__sync_val_compare_and_swap(&l->state->locks[l->index & (LOCKS - 1)], 0, 1);
	return l->held;
}

static __always_inline bool lock(struct table_state *s, __u32 index)
{
	struct locking l = { .state = s, .index = index };

	bpf_loop(256, try_lock, &l, 0);
	return l.held;
}

static __always_inline void unlock(struct table_state *s, __u32 index)
{
	__sync_lock_test_and_set(&s->locks[index & (LOCKS - 1)], 0);
}

/* bpf_loop callback: does one request. */
static long do_row(__u32 i, void *unused)
{
	struct area *a = the_area();
	struct work w = { .row = i };
	struct row_req *q;
	struct table_state *s;
	__u32 zero = 0;
	int err;

	s = bpf_map_lookup_elem(&state, &zero);
	if (!a || !s || i >= AREA_ROWS)
		return 1;
	q = &a->row[i];
	if (!lock(s, q->lock)) {
		q->error = -EAGAIN;
		return 0;
	}
	w.first = q->first;
	switch (q->verb) {
	case PUT:
		err = put(s, q, &w);
		break;
	case RENEW:
		err = renew(q);
		break;
	case GET:
		err = get(a, q, &w);
		break;
	case DELETE:
		err = delete(q);
		break;
	case UNSET:
		err = unset(q, &w);
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
static long pass_lock(__u32 i, struct work *w)
{
	struct table_state *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&state, &zero);
	if (!s)
		return 1;
	if (!lock(s, i)) {
		w->error = 1;
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
	struct work w = {};

	bpf_loop(LOCKS, pass_lock, &w, 0);
	return w.error;
}

char terms[] SEC("license") = "Dual MIT/GPL";
