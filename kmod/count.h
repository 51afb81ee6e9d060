/* SPDX-License-Identifier: GPL-2.0-only */
/* How rules count: what every packet of a budget does, so it is inline. */
#ifndef _NFT_DICT_COUNT_H
#define _NFT_DICT_COUNT_H

#include <linux/overflow.h>

#include "find.h"
#include "nft_dict.h"

static inline s64 nft_dict_saturate(s64 a, s64 b, enum nft_dict_ops how)
{
	s64 sum;

	if (how == NFT_DICT_SUB) {
		if (check_sub_overflow(a, b, &sum))
			return b < 0 ? S64_MAX : S64_MIN;
	} else if (check_add_overflow(a, b, &sum)) {
		return b > 0 ? S64_MAX : S64_MIN;
	}
	return sum;
}

/* nft_dict_table_counted - note that a number is another. Packets do so; those who
 * read wait for no more than that.
 */
static inline void nft_dict_table_counted(struct nft_dict_table *t)
{
	if (!READ_ONCE(t->counted))
		WRITE_ONCE(t->counted, true);
}

/* nft_dict_row_count - add @n to a number of @type or subtract it where that takes
 * no more than to store it: the row and the number are there, the row has no end,
 * and nobody listens. False if something is not so, and nothing is done. Under RCU.
 */
static inline bool nft_dict_row_count(struct nft_dict_table *t, struct nft_dict_row *row,
				      u16 field, u8 type, enum nft_dict_ops how, s64 n)
{
	const u32 odd = NFT_DICT_LINK_DEAD | NFT_DICT_LINK_HIDDEN | NFT_DICT_LINK_WEAK;
	struct nft_dict_value v NFT_DICT_UNINITIALIZED;
	bool done = false;

	if (t->timeout || nft_dict_heard(t->dn->net, NFT_DICT_GROUP_CHANGES))
		return false;
	spin_lock_bh(&row->lock);
	if (row->link.flags & odd || row->link.expires ||
	    !nft_dict_cells_get(rcu_dereference_protected(row->cells,
							  lockdep_is_held(&row->lock)),
				field, &v) || v.type != type)
		goto out;
	if (type == NFT_DICT_TYPE_INT64 && BITS_PER_LONG == 64) {
		s64 *to = (s64 *)v.data;

		WRITE_ONCE(*to, nft_dict_saturate(*to, n, how));
		done = true;
	} else if (type == NFT_DICT_TYPE_INT) {
		s32 *to = (s32 *)v.data;

		n = nft_dict_saturate(*to, n, how);
		WRITE_ONCE(*to, (s32)clamp_t(s64, n, S32_MIN, S32_MAX));
		done = true;
	}
	if (done)
		nft_dict_table_counted(t);
out:
	spin_unlock_bh(&row->lock);
	return done;
}

#endif /* _NFT_DICT_COUNT_H */
