// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks along all rows of a table. A cursor stands in the list between rows, so
 * whatever comes and goes, a row that stays is met once.
 */
#include <linux/ktime.h>
#include <linux/sched.h>

#include "nft_dict.h"

/* Nanoseconds that a walk may take each time. */
#define NFT_DICT_SHORT_WALK	(100 * NSEC_PER_USEC)

/* nft_dict_cursor_start - stand before the first row. */
void nft_dict_cursor_start(struct nft_dict_cursor *c, struct nft_dict_table *t)
{
	c->table = t;
	c->link.flags = NFT_DICT_LINK_CURSOR;
	c->link.expires = 0;
	spin_lock_bh(&t->lock);
	list_add(&c->link.list, &t->rows);
	spin_unlock_bh(&t->lock);
}

static void __nft_dict_cursor_pass(struct nft_dict_cursor *c, struct nft_dict_row *row)
{
	lockdep_assert_held(&c->table->lock);

	/* Where a row has left the list, the cursor stands where it was. */
	if (row && !(row->link.flags & NFT_DICT_LINK_DEAD))
		list_move(&c->link.list, &row->link.list);
}

/* Stand behind the row that was met last, which may then be forgotten. */
static void nft_dict_cursor_pass(struct nft_dict_cursor *c, struct nft_dict_row *row)
{
	spin_lock_bh(&c->table->lock);
	__nft_dict_cursor_pass(c, row);
	spin_unlock_bh(&c->table->lock);
}

/* nft_dict_cursor_next - pass @done, if there is one, and meet the next row.
 * Under RCU, from when a row is met to when it is passed.
 */
struct nft_dict_row *nft_dict_cursor_next(struct nft_dict_cursor *c, struct nft_dict_row *done)
{
	struct nft_dict_row *row = NULL;
	struct nft_dict_link *link;

	spin_lock_bh(&c->table->lock);
	__nft_dict_cursor_pass(c, done);
	link = &c->link;
	list_for_each_entry_continue(link, &c->table->rows, list) {
		if (link->flags & NFT_DICT_LINK_CURSOR)
			continue;
		row = container_of(link, struct nft_dict_row, link);
		break;
	}
	spin_unlock_bh(&c->table->lock);
	return row;
}

/* nft_dict_cursor_rest - stand behind a row and let others have the CPU. Under RCU,
 * which is left meanwhile; so there is no row to pass then, which is returned.
 */
struct nft_dict_row *nft_dict_cursor_rest(struct nft_dict_cursor *c, struct nft_dict_row *row)
{
	nft_dict_cursor_pass(c, row);
	rcu_read_unlock();
	cond_resched();
	rcu_read_lock();
	return NULL;
}

void nft_dict_cursor_end(struct nft_dict_cursor *c)
{
	spin_lock_bh(&c->table->lock);
	list_del(&c->link.list);
	spin_unlock_bh(&c->table->lock);
}

/* nft_dict_table_end_rows - end all rows, and return how many of them readers
 * saw. The caller holds a reference of the table. May sleep.
 */
u32 nft_dict_table_end_rows(struct nft_dict_table *t, enum nft_dict_end why)
{
	struct nft_dict_row *row = NULL;
	struct nft_dict_cursor cursor;
	unsigned int steps = 0;
	u32 seen = 0;

	nft_dict_cursor_start(&cursor, t);
	rcu_read_lock();
	while ((row = nft_dict_cursor_next(&cursor, row))) {
		if (why == NFT_DICT_END_DUE && READ_ONCE(row->link.flags) & NFT_DICT_LINK_WEAK)
			nft_dict_session_settle(t, row);
		if (why != NFT_DICT_END_DUE || nft_dict_row_expired(row) ||
		    ((READ_ONCE(row->link.flags) & NFT_DICT_LINK_SESSION) &&
		     nft_dict_session_gone(row)))
			seen += nft_dict_row_end(t, row, why);
		if (++steps % NFT_DICT_CURSOR_STEPS == 0)
			row = nft_dict_cursor_rest(&cursor, row);
	}
	rcu_read_unlock();
	nft_dict_cursor_end(&cursor);
	return seen;
}

/* nft_dict_table_make_room - end the rows of a full table that take a place
 * without need. In a large table that takes a tenth of the time at most, lest
 * whoever floods it should keep its writers busy. False if it was not done.
 */
bool nft_dict_table_make_room(struct nft_dict_table *t)
{
	u64 start = ktime_get_ns(), took;

	lockdep_assert_held(&t->dn->mutex);

	if (!(nft_dict_bound(t) || READ_ONCE(t->timed)) || start < t->rest_until)
		return false;
	nft_dict_table_end_rows(t, NFT_DICT_END_DUE);
	took = ktime_get_ns() - start;
	if (took > NFT_DICT_SHORT_WALK)
		t->rest_until = start + 11 * took;
	return true;
}
