// SPDX-License-Identifier: GPL-2.0-only
/* Compiles where the header for unaligned access is no architecture's. */
#include <linux/unaligned.h>
