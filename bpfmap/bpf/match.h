// SPDX-License-Identifier: GPL-2.0-only

/* A condition: finds the row that a packet means, reads one field and compares
 * it with ranges, digests and globs. Returns 1 if the condition holds.
 */
#ifndef NFTDICT_MATCH_H
#define NFTDICT_MATCH_H

#include "consult.h"

#define ITEMS 32
#define GLOB_WORDS 8

/* What the value is compared with. */
enum shape {
	PRESENCE, /* nothing: that there is one */
	NUMBERS,  /* ranges of signed numbers of 64 bits */
	WIDE,	  /* ranges of unsigned numbers of 128 bits */
	DIGESTS,  /* strings by their digests */
	GLOBS,	  /* strings by digests and globs */
};

struct item {
	__u64 lo[2]; /* a digest, in DIGESTS and GLOBS */
	__u64 hi[2];
};

struct condition {
	struct chain key;
	struct ref ref;
	__u32 shape;
	__u32 items;
	__u32 glob_words; /* of the automaton */
	__u32 inside;	  /* result for a value in one of the items or globs; else the contrary */
	__u32 missing;	  /* result without a value, or for the default */
	__u32 other;	  /* result for a value of another type */
	struct item item[ITEMS];
};

const volatile struct condition asked = {};

/* All globs of a condition as one automaton of glob_words words: a bit for each
 * position that is no star, glob after glob. first are the first positions of
 * the globs, anywhere those of them with a star in front, last the ones that must
 * be reached, stay those that a star follows. sets holds glob_words words for
 * each byte: the positions that it matches. The map's value ends there.
 */
struct automaton {
	__u64 first[GLOB_WORDS];
	__u64 anywhere[GLOB_WORDS];
	__u64 last[GLOB_WORDS];
	__u64 stay[GLOB_WORDS];
	__u64 sets[256 * GLOB_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct automaton);
} globs SEC(".maps");

struct bytes {
	__u64 words[STRING_MAX / 8];
};

/* One pass over the string, whatever the globs. */
static __always_inline bool in_globs(const struct bytes *text, __u32 len)
{
	const __u8 *bytes = (const __u8 *)text;
	__u64 at[GLOB_WORDS] = {}, carry, here, moved, reached = 0;
	__u64 words = asked.glob_words; /* 64 bits: Linux 6.1 loses the bounds of a product of 32 */
	__u32 zero = 0;
	struct automaton *g;
	const __u64 *set;

	g = bpf_map_lookup_elem(&globs, &zero);
	if (!g)
		return false;
	if (words == 1) {
		const __u64 first = g->first[0], anywhere = g->anywhere[0], stay = g->stay[0];

		here = 0;
		moved = first;
		for (__u32 i = 0; i < STRING_MAX; i++) {
			if (i >= len)
				break;
			here = (moved & g->sets[bytes[i]]) | (here & stay);
			moved = (here << 1 & ~first) | anywhere;
		}
		return (here & g->last[0]) != 0;
	}
	for (__u32 i = 0; i < STRING_MAX; i++) {
		if (i >= len)
			break;
		set = &g->sets[(__u64)bytes[i] * words];
		carry = 0;
#pragma unroll
		for (__u32 w = 0; w < GLOB_WORDS; w++) {
			if (w < words) {
				here = at[w];
				moved = ((here << 1 | carry) & ~g->first[w]) | (i ? g->anywhere[w] : g->first[w]);
				at[w] = (moved & set[w]) | (here & g->stay[w]);
				carry = here >> 63;
			}
		}
	}
#pragma unroll
	for (__u32 w = 0; w < GLOB_WORDS; w++) {
		if (w < words)
			reached |= at[w] & g->last[w];
	}
	return reached != 0;
}

static __always_inline bool in_items(const struct value *v)
{
	for (__u32 i = 0; i < ITEMS; i++) {
		const volatile struct item *it = &asked.item[i];

		if (i >= asked.items)
			break;
		if (asked.shape == NUMBERS) {
			if ((__s64)v->words[0] >= (__s64)it->lo[0] && (__s64)v->words[0] <= (__s64)it->hi[0])
				return true;
		} else if (asked.shape == WIDE) {
			if ((v->words[0] > it->lo[0] || (v->words[0] == it->lo[0] && v->words[1] >= it->lo[1])) &&
			    (v->words[0] < it->hi[0] || (v->words[0] == it->hi[0] && v->words[1] <= it->hi[1])))
				return true;
		} else {
			if (v->words[0] == it->lo[0] && v->words[1] == it->lo[1])
				return true;
		}
	}
	return false;
}

/* The condition for a row that is alive and may have the field. */
static __always_inline bool holds(__u64 generation)
{
	struct value v = {};
	struct text *elem = NULL;
	struct bytes text;

	for (int i = 0; i < TRIES; i++) {
		switch (read_field(&cells, &strings, generation, &asked.ref, &v, &elem)) {
		case MISSING:
			return asked.missing;
		case OTHER_TYPE:
			return asked.other;
		default:
			break;
		}
		if (asked.shape == PRESENCE)
			return asked.inside;
		if (in_items(&v))
			return asked.inside;
		if (asked.shape != GLOBS)
			return !asked.inside;
		if (!elem)
			break;
		__builtin_memcpy(&text, elem->bytes, sizeof(text));
		barrier();
		if (READ(elem->head) == v.head)
			return in_globs(&text, v.len) == asked.inside;
	}
	return asked.missing;
}

SEC("socket")
int match(struct __sk_buff *skb)
{
	struct value v = {};
	struct key k;
	__u64 generation;

	if (!find_key(skb, asked.key, 1, 2, &k, &v, NULL))
		return 0;
	generation = find_row(&rows, &k, asked.ref.field);
	if (!generation)
		return asked.missing;
	return holds(generation);
}

#endif
