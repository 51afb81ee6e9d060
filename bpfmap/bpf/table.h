// SPDX-License-Identifier: GPL-2.0-only

/* What writers and readers of a table have in common: the programs that write
 * for user space and those that stand in rules.
 */
#ifndef NFTDICT_TABLE_H
#define NFTDICT_TABLE_H

#include "layout.h"

/* The table's maps; sizes are filled in when a program is loaded. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, sizeof(struct row));
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, 8);
	__uint(value_size, sizeof(struct cell));
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, 8);
	__uint(value_size, sizeof(struct text));
} strings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table_state);
} state SEC(".maps");

/* Before Linux 6.4 the kernel returns an int here and leaves the upper half of
 * the register as it is: a negative errno would not compare equal to one.
 */
#define update_elem(map, key, value, flags) ((int)bpf_map_update_elem(map, key, value, flags))

#define barrier() asm volatile("" ::: "memory")
#define READ(x) (*(volatile typeof(x) *)&(x))

/* CLOCK_MONOTONIC. Programs in rules have a cheap one that lags by a jiffy;
 * the others do not get it.
 */
static __always_inline __u64 now_ns(void)
{
#ifdef COARSE_CLOCK
	return bpf_ktime_get_coarse_ns();
#else
	return bpf_ktime_get_ns();
#endif
}

static __always_inline __u64 now_tick(void)
{
	return now_ns() >> TICK_SHIFT;
}

/* The tick at which a life of so many ns ends, at least that long from now. */
static __always_inline __u64 end_tick(__u64 life)
{
	__u64 tick;

	if (!life)
		return 0;
	tick = ((now_ns() + life) >> TICK_SHIFT) + 1;
	return tick < TICK_MAX ? tick : TICK_MAX;
}

static __always_inline bool is_alive(__u64 word)
{
	__u64 tick = word & TICK_MAX;

	if (!word)
		return false;
	return !tick || now_tick() < tick;
}

static __always_inline __u64 generation_of(__u64 word)
{
	return word & ~(__u64)TICK_MAX;
}

/* A generation that no row of the table has: they begin anew after 2^36. */
static __always_inline __u64 new_generation(struct table_state *s)
{
	__u64 g = (__sync_fetch_and_add(&s->generation, 1) + 1) << GENERATION_SHIFT;

	/* 0 is none. */
	return g ? g : (__sync_fetch_and_add(&s->generation, 1) + 1) << GENERATION_SHIFT;
}

static __always_inline __u64 head_of(__u64 tag, __u32 type)
{
	return tag | (__u64)type << TYPE_SHIFT;
}

static __always_inline __u64 tag_of(__u64 head)
{
	return head & ~((__u64)0xff << TYPE_SHIFT);
}

static __always_inline void changed(struct table_state *s)
{
	__sync_fetch_and_add(&s->changes, 1);
}

/* A rule has added to a number, which concerns those who want to know of all. */
static __always_inline void counted(struct table_state *s)
{
	__sync_fetch_and_add(&s->changes, COUNTED);
}

static __always_inline void note_field(struct row *r, __u32 field)
{
	__u64 bit = 1ULL << (field & 63);
	__u64 *w = &r->fields[field >> 6 & 3];

	if (!(READ(*w) & bit))
		__sync_fetch_and_or(w, bit);
}

/* The number of the lowest bit set; clang has no such instruction here. */
static __always_inline __u32 lowest(__u64 bits)
{
	__u32 n = 0;

#pragma unroll
	for (__u32 half = 32; half; half >>= 1) {
		if (!(bits & ((1ULL << half) - 1))) {
			bits >>= half;
			n += half;
		}
	}
	return n;
}

struct removal {
	__u64 generation;
	__u64 fields[FIELDS / 64];
};

/* bpf_loop callback: removes what there is of one field. */
static long remove_field(__u32 i, struct removal *r)
{
	__u64 tag;

#pragma unroll
	for (int w = 0; w < FIELDS / 64; w++) {
		if (!r->fields[w])
			continue;
		tag = r->generation | (w * 64 + lowest(r->fields[w]));
		r->fields[w] &= r->fields[w] - 1;
		bpf_map_delete_elem(&cells, &tag);
		bpf_map_delete_elem(&strings, &tag);
		return 0;
	}
	return 1;
}

/* Removes the cells of a row that is gone; the words are its fields. Not
 * static, so that the verifier goes through it once for all its callers.
 */
noinline int remove_cells(__u64 generation, __u64 a, __u64 b, __u64 c, __u64 d)
{
	struct removal gone = { .generation = generation, .fields = { a, b, c, d } };

	bpf_loop(FIELDS, remove_field, &gone, 0);
	return 0;
}

/* Removes the row with this very word, then its cells. Who swaps the word for
 * 0 owns the row's end; only then may the element go. False if somebody else
 * was first.
 */
static __always_inline bool remove_row(struct row *r, const void *key, __u64 word)
{
	__u64 f[FIELDS / 64];

#pragma unroll
	for (int w = 0; w < FIELDS / 64; w++)
		f[w] = READ(r->fields[w]);
	if (__sync_val_compare_and_swap(&r->word, word, 0) != word)
		return false;
	bpf_map_delete_elem(&rows, key);
	remove_cells(generation_of(word), f[0], f[1], f[2], f[3]);
	return true;
}

#endif
