// SPDX-License-Identifier: GPL-2.0-only

/* Requests to the writer, answers of it, and the locks of rows. */
#ifndef NFTDICT_AREA_H
#define NFTDICT_AREA_H

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
	ADD,	/* add the cells to what is there; a row that is alive lives on as it does */
};

/* Of a cell while its row is written: it was there, it was not, it was there
 * with a number of another type, it was there and was added to.
 */
enum cell_state { OLD, NEW, OTHER, SUMMED };

struct cell_req {
	struct text value; /* narrow values, and amounts, are a struct cell at its start */
	__u32 field;
	__u32 type;
	__u32 state;
	__u32 pad;
	__u64 start; /* in of ADD: where counting starts without a value */
	__u64 by;    /* what came of the amount, if the cell is SUMMED */
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
	/* Of the row being written, here because the verifier would follow every
	 * value of a counter or an error on the stack.
	 */
	__u32 narrow;	   /* cells of either shape that are there and get a new value */
	__u32 wide;
	__u32 replaced;	   /* how many of them have it */
	__u32 allocations;
	__u32 fail_at; /* in: tests let this allocation of a row fail, 0 is none */
	__s32 error;   /* of the row: 0 or a negative errno */
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
};

static __always_inline struct area *the_area(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&requests, &zero);
}

/* The verifier wants the very register that was compared, and only after it was. */
static __always_inline struct row_req *row_at(struct area *a, __u32 i)
{
	__u64 n = i;

	asm volatile("" : "+r"(n));
	if (n >= AREA_ROWS)
		return NULL;
	asm volatile("" : "+r"(n));
	return &a->row[n];
}

static __always_inline struct cell_req *cell_at(struct area *a, __u32 i)
{
	__u64 n = i;

	asm volatile("" : "+r"(n));
	if (n >= AREA_CELLS)
		return NULL;
	asm volatile("" : "+r"(n));
	return &a->cell[n];
}

/* The cell that a bpf_loop callback is about; without it nothing can be done, and
 * the row has an error.
 */
static __always_inline struct cell_req *this_cell(struct area *a, struct work *w, __u32 i)
{
	struct cell_req *c;

	if (!a)
		return NULL;
	c = cell_at(a, w->first + i);
	if (!c)
		a->error = -EINVAL;
	return c;
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

#endif
