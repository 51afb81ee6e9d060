// SPDX-License-Identifier: GPL-2.0-only

/* Sums within the limits of a type, for rules and for user space. */
#ifndef NFTDICT_NUMBER_H
#define NFTDICT_NUMBER_H

#include "layout.h"

static __always_inline __u64 clamped(__u64 n, __u32 type)
{
	if (type != INT)
		return n;
	if ((__s64)n > 0x7fffffffLL)
		return 0x7fffffffLL;
	if ((__s64)n < -0x80000000LL)
		return (__u64)-0x80000000LL;
	return n;
}

/* a + b, or a - b if take says so. */
static __always_inline __u64 saturated(__u64 a, __u64 b, bool take, __u32 type)
{
	__u64 n = take ? a - b : a + b;
	bool up = take ? (__s64)b < 0 : (__s64)b > 0;

	if (up && (__s64)n < (__s64)a)
		n = 0x7fffffffffffffffULL;
	else if (!up && (__s64)n > (__s64)a)
		n = 0x8000000000000000ULL;
	return clamped(n, type);
}

#endif
