// SPDX-License-Identifier: GPL-2.0-only
/* Compiles where nft_parse_register_load() is not told of the rule. */
#include <linux/build_bug.h>
#include <net/netfilter/nf_tables.h>

static_assert(__builtin_types_compatible_p(typeof(nft_parse_register_load),
					   int(const struct nlattr *, u8 *, u32)));
