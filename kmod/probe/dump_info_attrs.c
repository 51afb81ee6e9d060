// SPDX-License-Identifier: GPL-2.0-only
/* Compiles where the information on a generic netlink dump holds attributes. */
#include <linux/build_bug.h>
#include <net/genetlink.h>

static_assert(__builtin_types_compatible_p(typeof(((struct genl_dumpit_info *)0)->attrs),
					   struct nlattr **));
