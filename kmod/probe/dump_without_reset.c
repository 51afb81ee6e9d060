// SPDX-License-Identifier: GPL-2.0-only
/* Compiles where expressions are dumped without a word about a reset. */
#include <linux/build_bug.h>
#include <net/netfilter/nf_tables.h>

static_assert(__builtin_types_compatible_p(typeof(((const struct nft_expr_ops *)0)->dump),
					   int (*)(struct sk_buff *, const struct nft_expr *)));
