// SPDX-License-Identifier: GPL-2.0-only

/* How a table lies in its maps.
 *
 * rows:    key -> struct row (struct named_row where keys are strings)
 * cells:   tag -> struct cell, values of up to 16 bytes
 * strings: tag -> struct text, string values
 * state:   one struct table_state, mapped into every process
 *
 * A row that appears gets a generation that the table never gave before. Its
 * word holds the generation above GENERATION_SHIFT and below it the tick (2^30
 * ns of CLOCK_MONOTONIC) at which the row expires, 0 for never. Word 0 is a row
 * on its way out, which everybody takes for missing.
 *
 * The tag of a cell is the row's generation above GENERATION_SHIFT and the
 * field's number. So a cell belongs to one incarnation of a row, and the row's
 * element alone decides whether its cells are there. The head of a value is
 * its tag with the type at TYPE_SHIFT: the kernel reuses elements at once, so
 * who reads a value compares the head before and after.
 *
 * Keys and numbers are in host order; an IPv6 address is two numbers, the
 * leading half first, a MAC address the low 48 bits of one.
 */
#ifndef NFTDICT_LAYOUT_H
#define NFTDICT_LAYOUT_H

#include "kernel.h"

#define GENERATION_SHIFT 28
#define TICK_SHIFT 30
#define TICK_MAX ((1 << GENERATION_SHIFT) - 1)
#define TYPE_SHIFT 16
#define FIELDS 256
#define LOCKS 256
#define KEY_MAX 24
#define STRING_MAX 128

/* A rule's sweep is bounded: it does not stand for one by user space. */
#define SWEPT_BY_RULE (1ULL << 63)

/* Types of values, as package dict numbers them. */
enum type { BOOL = 1, INT, INT64, IPV4, IPV6, ADDRESS, ETHER, STRING };

struct row {
	__u64 word;
	/* A bit for each field that any incarnation wrote since the element was
	 * made: may say yes for a field that is not there, never no for one that is.
	 */
	__u64 fields[FIELDS / 64];
};

struct named_row {
	struct row row;
	__u32 len;
	__u32 pad;
	__u8 name[STRING_MAX];
};

struct cell {
	__u64 head;
	__u64 data[2];
};

/* A string with its keyed digest, which is also its key in a table of strings.
 * It begins as a cell does, with the digest as data.
 */
struct text {
	__u64 head;
	__u64 digest[2];
	__u32 len;
	__u32 pad;
	__u8 bytes[STRING_MAX];
};

/* The lower half of a table's changes is of what is more than counting. */
#define COUNTED (1ULL << 32)

struct table_state {
	__u64 generation; /* last one given */
	__u64 changes;	  /* grows with every change of a row, by whomever; by COUNTED where a rule counts */
	__u64 refused;	  /* rows refused because the table was full */
	__u64 swept;	  /* tick + 1 of the last sweep that a full table asked for, SWEPT_BY_RULE */
	__u32 locks[LOCKS];
};

#endif
