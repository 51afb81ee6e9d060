// SPDX-License-Identifier: GPL-2.0-only

/* The programs that stand in rules. Each rule's term is one of them with its
 * constants and maps filled in.
 */
#include "match.h"
#include "write.h"

char terms[] SEC("license") = "Dual MIT/GPL";
