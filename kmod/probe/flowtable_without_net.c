// SPDX-License-Identifier: GPL-2.0-only
/* Compiles where nft_flowtable_lookup() is not told of the namespace. */
#include <linux/build_bug.h>
#include <net/netfilter/nf_tables.h>

static_assert(__builtin_types_compatible_p(typeof(nft_flowtable_lookup),
					   struct nft_flowtable *(const struct nft_table *,
								  const struct nlattr *, u8)));
