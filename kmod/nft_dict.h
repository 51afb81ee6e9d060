/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of nft_dict share.
 *
 * A table is a hash of rows, found by their whole key under RCU. A row's values
 * are one block, nft_dict_cells, which is replaced and never altered, but for
 * numbers that rules count with: these are stored in place, each by one store.
 *
 * Locks, outermost first:
 *
 *  nft_dict_net.mutex	what user space writes: tables, fields, rows
 *  nft_dict_row.lock	the row's cells, life and flags; taken by packets too
 *  nft_dict_table.lock	what comes and goes: hashes, list and counters of rows
 */
#ifndef _NFT_DICT_H
#define _NFT_DICT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#include "nft_dict_uapi.h"

#define NFT_DICT_VERSION	"1.2"

#define NFT_DICT_MAX_TABLES	1024	/* of a network namespace */

struct nf_conn;
struct seq_file;

/**
 * struct nft_dict_net - all there is of a network namespace
 * @net: the namespace
 * @mutex: of writers in user space and of rules that are being loaded
 * @tables: RCU, in the order of their ids
 * @last_id: id of the table added last
 * @ntables: how many there are
 * @changes: of tables and fields, counted
 * @bytes: memory of all rows
 * @gc: drops rows that have ended, and tells of what was not told, once a second
 * @flow_mutex: of @flowtables; taken alone, or by rules that are being loaded
 * @flowtables: to which rules with the expression send connections
 * @proc: /proc/net/dict
 */
struct nft_dict_net {
	struct net		*net;
	struct mutex		mutex; /* writers */
	struct list_head	tables;
	u32			last_id;
	u32			ntables;
	u32			changes;
	atomic_long_t		bytes;
	struct delayed_work	gc;
	struct mutex		flow_mutex; /* flowtables */
	struct list_head	flowtables;
	struct proc_dir_entry	*proc;
};

/**
 * struct nft_dict_value - a typed value, or none
 * @data: the bytes, as the attribute of the type carries them; unaligned
 * @field: position of the field in the table, where that matters
 * @type: enum nft_dict_type, 0 for no value
 * @len: bytes of @data
 */
struct nft_dict_value {
	const void	*data;
	u16		field;
	u8		type;
	u8		len;
};

/**
 * struct nft_dict_key - the bytes that a row is found by
 * @len: bytes of @data without padding
 * @data: padded with zeros to whole words. In a bound table it is the pointer
 *	to the conntrack entry.
 */
struct nft_dict_key {
	u32	len;
	u32	data[];
};

#define NFT_DICT_KEY_WORDS	(NFT_DICT_MAX_STRING / sizeof(u32))

/* Kernels may be built to clear what is on the stack. A key is written before it
 * is read, and clearing room for the longest costs more than most lookups.
 */
#if __has_attribute(__uninitialized__)
#define NFT_DICT_UNINITIALIZED __attribute__((__uninitialized__))
#else
#define NFT_DICT_UNINITIALIZED
#endif

/* A key with room for any. */
union nft_dict_any_key {
	struct nft_dict_key	key;
	u32			room[1 + NFT_DICT_KEY_WORDS];
};

/**
 * struct nft_dict_cells - the values of a row
 * @rcu: to free it
 * @words: length of @map
 * @count: values
 * @bytes: of the block, as charged
 * @map: which fields have a value. Then come @count struct nft_dict_slot in
 *	the order of fields, then the bytes of the values.
 */
struct nft_dict_cells {
	struct rcu_head	rcu;
	u16		words;
	u16		count;
	u32		bytes;
	unsigned long	map[];
};

struct nft_dict_slot {
	u16	offset; /* from the start of the block */
	u8	type;
	u8	len;
};

/* A place in the list of a table's rows: a row, or one who walks along it. */
struct nft_dict_link {
	struct list_head	list;
	u32			flags;
	u32			expires; /* ktime seconds, 0 for never */
};

enum {
	NFT_DICT_LINK_CURSOR	= 1 << 0, /* no row */
	NFT_DICT_LINK_DEAD	= 1 << 1, /* no longer of the table */
	NFT_DICT_LINK_HIDDEN	= 1 << 2, /* binds a conntrack entry, holds no row yet */
	NFT_DICT_LINK_SESSION	= 1 << 3, /* is that of a nft_dict_session */
	NFT_DICT_LINK_WEAK	= 1 << 4, /* has no reference to its conntrack entry yet */
	NFT_DICT_LINK_LARGE	= 1 << 5, /* has room for its first values */
};

struct nft_dict_row {
	struct rhash_head		node;
	struct nft_dict_link		link;
	struct nft_dict_cells __rcu	*cells; /* NULL for none */
	union {
		struct rcu_head		rcu;
		struct nft_dict_weak	*weak; /* while NFT_DICT_LINK_WEAK */
	};
	spinlock_t			lock; /* cells, weak, link.expires, link.flags */
	struct nft_dict_key		key; /* last, but for the block of first values */
};

/**
 * struct nft_dict_field - a field of a table, unaltered until the table goes
 * @def: its default, of type 0 if it has none
 * @bytes: of @def
 * @type: enum nft_dict_type, 0 in an open table
 * @names: how many @name holds
 * @name: its name and then its aliases
 */
struct nft_dict_field {
	struct nft_dict_value	def;
	u8			bytes[NFT_DICT_MAX_STRING];
	u8			type;
	u8			names;
	char			name[][NFT_DICT_MAX_NAME + 1];
};

/**
 * struct nft_dict_table - a table
 * @list: of the namespace's tables, RCU
 * @dn: its namespace; to be used only while it is on @list, or for accounting
 * @ref: one for the list, one for each lookup of a rule and for each reader
 * @users: lookups of rules
 * @ht: the rows
 * @ids: the rows of a bound table once more, by conntrack id
 * @lock: see above
 * @rows: all rows in the order in which they came, and those who walk there
 * @dead: off the list, takes no rows any more
 * @count: rows, hidden ones too
 * @hidden: those of them that only bind an entry
 * @timed: set once a row had an end
 * @counted: rules have counted, of which nothing was told
 * @refused: rows refused for want of a place or of memory
 * @bytes: memory of the rows
 * @generation: changes with every change but counting
 * @told: writes that were told, or were not, until @told_until, in jiffies
 * @untold: there are some of which nothing was told, but for counting
 * @rest_until: when a full table may be walked again, in ns; under the mutex of @dn
 * @fields: the first @nfields are valid; they only become more
 */
struct nft_dict_table {
	struct list_head	list;
	struct nft_dict_net	*dn;
	refcount_t		ref;
	atomic_t		users;
	u32			id;
	u32			limit;
	u32			timeout;
	u32			flags;
	u8			key_type;
	bool			dead;
	bool			timed;
	bool			counted;
	bool			untold;
	char			name[NFT_DICT_MAX_NAME + 1];
	struct rhashtable	ht;
	struct rhltable		ids;
	spinlock_t		lock ____cacheline_aligned_in_smp; /* rows, hashes, counters */
	struct list_head	rows;
	u32			count;
	u32			hidden;
	atomic64_t		refused;
	atomic_long_t		bytes;
	atomic_t		generation;
	atomic_t		told;
	unsigned long		told_until;
	u64			rest_until;
	unsigned int		nfields;
	struct nft_dict_field	*fields[NFT_DICT_MAX_FIELDS];
	struct rcu_head		rcu;
};

static inline bool nft_dict_bound(const struct nft_dict_table *t)
{
	return t->flags & NFT_DICT_TABLE_BOUND;
}

static inline bool nft_dict_open(const struct nft_dict_table *t)
{
	return t->flags & NFT_DICT_TABLE_OPEN;
}

/* How many fields a table has, which may become more. */
static inline unsigned int nft_dict_table_fields(const struct nft_dict_table *t)
{
	/* Pairs with nft_dict_field_add: these fields are there. */
	return smp_load_acquire(&t->nfields);
}

/* The types of values that one who asks for a type takes, as a set of bits. */
static inline u16 nft_dict_type_mask(u8 type)
{
	if (type == NFT_DICT_TYPE_ADDRESS)
		return BIT(NFT_DICT_TYPE_IPV4) | BIT(NFT_DICT_TYPE_IPV6);
	return BIT(type);
}

struct nft_dict_net *nft_dict_pernet(const struct net *net);

/* value.c */
bool nft_dict_name_copy(char *to, const char *name, size_t len);
int nft_dict_string_check(const char *s, size_t len);
bool nft_dict_value_good(const struct nlattr *attr);
int nft_dict_value_parse(struct nft_dict_value *v, const struct nlattr *attr,
			 struct netlink_ext_ack *extack);
int nft_dict_value_only(struct nft_dict_value *v, const struct nlattr *nest,
			struct netlink_ext_ack *extack);
int nft_dict_value_fit(struct nft_dict_value *v, u8 type, s64 *wide);
int nft_dict_value_put(struct sk_buff *skb, const struct nft_dict_value *v);
s64 nft_dict_value_number(const struct nft_dict_value *v);
bool nft_dict_value_equal(const struct nft_dict_value *a, const struct nft_dict_value *b);

/* cells.c */
bool nft_dict_cells_next(const struct nft_dict_cells *c, unsigned int *field,
			 struct nft_dict_value *v);
int nft_dict_cells_size(const struct nft_dict_cells *old,
			const struct nft_dict_value *change, unsigned int n);
void nft_dict_cells_fill(struct nft_dict_cells *c, const struct nft_dict_cells *old,
			 const struct nft_dict_value *change, unsigned int n);
void nft_dict_cells_fill_again(struct nft_dict_cells *c, const void *head,
			       const struct nft_dict_value *v);
void nft_dict_cells_keep(const struct nft_dict_cells *c, void *head);
struct nft_dict_cells *nft_dict_cells_alloc(struct nft_dict_table *t, size_t size, gfp_t gfp);
void nft_dict_cells_free(struct nft_dict_table *t, struct nft_dict_cells *c);

/* table.c */
struct nft_dict_table *nft_dict_table_find(struct nft_dict_net *dn, const char *name);
struct nft_dict_table *nft_dict_table_get(struct nft_dict_net *dn, const char *name);
struct nft_dict_table *nft_dict_table_after(struct nft_dict_net *dn, u32 id);
struct nft_dict_table *nft_dict_table_new(struct nft_dict_net *dn, const char *name,
					  u8 key_type, u32 limit, u32 timeout, u32 flags);
int nft_dict_table_add(struct nft_dict_table *t);
int nft_dict_table_delete(struct nft_dict_table *t);
void nft_dict_table_unlink(struct nft_dict_table *t);
void nft_dict_table_put(struct nft_dict_table *t);
int nft_dict_field_index(const struct nft_dict_table *t, const char *name);
int nft_dict_field_add(struct nft_dict_table *t, struct nft_dict_field *f);
int nft_dict_field_open(struct nft_dict_table *t, const char *name);
struct nft_dict_field *nft_dict_field_alloc(unsigned int names);

/* memory.c */
void *nft_dict_alloc(struct nft_dict_table *t, size_t size, gfp_t gfp);
void nft_dict_uncharge(struct nft_dict_table *t, size_t size);
void nft_dict_free(struct nft_dict_table *t, void *p, size_t size);

/* row.c */
struct nft_dict_row *nft_dict_row_seek(struct nft_dict_table *t, const struct nft_dict_key *key);
struct nft_dict_row *nft_dict_row_new(struct nft_dict_table *t, const struct nft_dict_key *key,
				      struct nf_conn *ct, size_t room, gfp_t gfp);
void nft_dict_row_discard(struct nft_dict_table *t, struct nft_dict_row *row);
int nft_dict_row_place(struct nft_dict_table *t, const struct nft_dict_key *key);
int nft_dict_row_insert(struct nft_dict_table *t, struct nft_dict_row *row);
void nft_dict_row_show(struct nft_dict_table *t, struct nft_dict_row *row);
void nft_dict_row_swap(struct nft_dict_table *t, struct nft_dict_row *row,
		       struct nft_dict_cells *cells);
bool nft_dict_row_shown(const struct nft_dict_row *row);
u32 nft_dict_row_left(const struct nft_dict_row *row);
u32 nft_dict_row_expiry(const struct nft_dict_table *t, u32 ttl);
void nft_dict_row_set_expiry(struct nft_dict_table *t, struct nft_dict_row *row, u32 expires);

/* Why a row is to end. */
enum nft_dict_end {
	NFT_DICT_END_DUE,	/* if its time has come, or its entry has gone */
	NFT_DICT_END_DELETE,	/* it is deleted; a binding stays */
	NFT_DICT_END_PURGE,	/* with its table */
};

bool nft_dict_row_end(struct nft_dict_table *t, struct nft_dict_row *row, enum nft_dict_end why);

static inline bool nft_dict_row_expired(const struct nft_dict_row *row)
{
	u32 end = READ_ONCE(row->link.expires);

	return end && (s32)((u32)ktime_get_seconds() - end) >= 0;
}

/* write.c */

/* Most bytes of a block of values that shares the memory of its row. */
#define NFT_DICT_SMALL	128

/**
 * struct nft_dict_sum - what becomes of an amount
 * @amount: to be added
 * @i: the sum, in a field of type int
 * @l: the sum, in one of type int64
 */
struct nft_dict_sum {
	s64		amount;
	union {
		s32	i;
		s64	l;
	};
};

/**
 * struct nft_dict_put - what is to be written into a row
 * @value: in the order of fields; may be altered
 * @sum: NULL, or room for as many: the values are numbers to be added
 * @count: how many
 * @ttl: seconds that the row is to live, 0 for the table's timeout
 * @fresh: the row before this one was new, so this one may be, too
 * @again: besides, the values have the fields, types and lengths of that one's
 * @size: bytes of that one's block, 0 if it had none in its own memory
 * @head: the beginning of that block, from its words on
 */
struct nft_dict_put {
	struct nft_dict_value	value[NFT_DICT_MAX_FIELDS];
	struct nft_dict_sum	*sum;
	unsigned int		count;
	u32			ttl;
	bool			fresh;
	bool			again;
	u16			size;
	u8			head[NFT_DICT_SMALL] __aligned(8);
};

int nft_dict_row_put(struct nft_dict_table *t, const struct nft_dict_key *key,
		     struct nft_dict_put *put);
int nft_dict_row_put_next(struct nft_dict_table *t, const struct nft_dict_key *key,
			  struct nft_dict_put *put);
int nft_dict_row_room(struct nft_dict_table *t, const struct nft_dict_key *key);
int nft_dict_row_delete(struct nft_dict_table *t, const struct nft_dict_key *key,
			const struct nft_dict_put *put);
int nft_dict_row_renew(struct nft_dict_table *t, const struct nft_dict_key *key, u32 ttl);

/* count.c */
void nft_dict_put_amounts(struct nft_dict_put *put);
void nft_dict_put_sums(const struct nft_dict_table *t, const struct nft_dict_cells *old,
		       struct nft_dict_put *put);
void nft_dict_row_update(struct nft_dict_table *t, const struct nft_dict_key *key,
			 struct nf_conn *ct, enum nft_dict_ops how,
			 const struct nft_dict_value *v, const struct nft_dict_value *def);

/* walk.c */

/* After how many rows who walks has to rest. */
#define NFT_DICT_CURSOR_STEPS	64

/**
 * struct nft_dict_cursor - a place in the list of a table's rows
 * @link: after the rows that are done
 * @table: to which its owner holds a reference
 */
struct nft_dict_cursor {
	struct nft_dict_link	link;
	struct nft_dict_table	*table;
};

void nft_dict_cursor_start(struct nft_dict_cursor *c, struct nft_dict_table *t);
struct nft_dict_row *nft_dict_cursor_next(struct nft_dict_cursor *c, struct nft_dict_row *done);
struct nft_dict_row *nft_dict_cursor_rest(struct nft_dict_cursor *c, struct nft_dict_row *row);
void nft_dict_cursor_end(struct nft_dict_cursor *c);
u32 nft_dict_table_end_rows(struct nft_dict_table *t, enum nft_dict_end why);
bool nft_dict_table_make_room(struct nft_dict_table *t);

/* session.c */

/**
 * struct nft_dict_session - a row of a bound table
 * @id_node: in the table's ids
 * @id: of the conntrack entry, in host order
 * @until: when a weak row ends, in ktime seconds
 * @row: its key is the entry, of which it holds a reference unless it is weak.
 *	Last
 */
struct nft_dict_session {
	struct rhlist_head	id_node;
	u32			id;
	u32			until;
	struct nft_dict_row	row;
};

struct nft_dict_wanted;

static inline struct nft_dict_session *nft_dict_session(const struct nft_dict_row *row)
{
	return container_of(row, struct nft_dict_session, row);
}

static inline struct nf_conn *nft_dict_row_ct(const struct nft_dict_row *row)
{
	struct nf_conn *ct;

	memcpy(&ct, row->key.data, sizeof(ct));
	return ct;
}

int nft_dict_ids_init(struct nft_dict_table *t);
int nft_dict_ids_insert(struct nft_dict_table *t, struct nft_dict_row *row);
void nft_dict_ids_remove(struct nft_dict_table *t, struct nft_dict_row *row);
u32 nft_dict_ct_id(const struct nf_conn *ct);
void nft_dict_ct_key(struct nft_dict_key *key, const struct nf_conn *ct);
int nft_dict_session_hold(struct nft_dict_table *t, struct nft_dict_row *row,
			  struct nf_conn *ct, gfp_t gfp);
void nft_dict_session_drop(struct nft_dict_table *t, struct nft_dict_row *row);
void nft_dict_session_prolong(struct nft_dict_row *row);
void nft_dict_session_settle(struct nft_dict_table *t, struct nft_dict_row *row);
struct nft_dict_row *nft_dict_session_meet(struct nft_dict_table *t, struct nft_dict_row *row);
bool nft_dict_session_gone(const struct nft_dict_row *row);
struct nft_dict_row *nft_dict_session_seek(struct nft_dict_table *t, u32 id);
struct nf_conn *nft_dict_session_entry(struct nft_dict_table *t, u32 id);
int nft_dict_session_attach(struct nft_dict_table *t, struct nf_conn *ct, gfp_t gfp);
struct nft_dict_wanted *nft_dict_wanted_new(unsigned int n);
void nft_dict_wanted_add(struct nft_dict_table *t, struct nft_dict_wanted *w, u32 id);
void nft_dict_wanted_bind(struct nft_dict_table *t, struct nft_dict_wanted *w);
int nft_dict_wanted_error(const struct nft_dict_wanted *w, u32 id);

/* glob.c */
struct nft_dict_glob;

struct nft_dict_glob *nft_dict_glob_new(const struct nlattr *tokens,
					const struct nlattr *classes);
bool nft_dict_glob_match(const struct nft_dict_glob *g, const u8 *s, unsigned int len);

/* genl.c, notify.c */
extern struct genl_family nft_dict_family;

/* The groups of those who listen: to all changes, or to what nft_dict.yaml says of
 * row-ntf.
 */
enum nft_dict_group {
	NFT_DICT_GROUP_CHANGES,
	NFT_DICT_GROUP_WRITES,
};

void nft_dict_tell_row(const struct nft_dict_table *t, const struct nft_dict_row *row, u8 cmd,
		       const struct nft_dict_value *v, unsigned int n, enum nft_dict_group group);
void nft_dict_tell_write(struct nft_dict_table *t, const struct nft_dict_row *row, u8 cmd,
			 const struct nft_dict_value *v, unsigned int n);
void nft_dict_tell_rest(struct nft_dict_table *t);

extern bool nft_dict_genl_closed;

/* Whether anybody of a group listens to a namespace. */
static inline bool nft_dict_heard(struct net *net, enum nft_dict_group group)
{
	return !READ_ONCE(nft_dict_genl_closed) && genl_has_listeners(&nft_dict_family, net, group);
}

/* nft_dict_notify_count - tell that a number was added to, if anybody listens. */
static inline void nft_dict_notify_count(const struct nft_dict_table *t,
					 const struct nft_dict_row *row, u8 cmd,
					 const struct nft_dict_value *v, unsigned int n)
{
	if (nft_dict_heard(t->dn->net, NFT_DICT_GROUP_CHANGES))
		nft_dict_tell_row(t, row, cmd, v, n, NFT_DICT_GROUP_CHANGES);
}

/* nft_dict_notify_row - tell of any other change, if anybody listens. */
static inline void nft_dict_notify_row(struct nft_dict_table *t,
				       const struct nft_dict_row *row, u8 cmd,
				       const struct nft_dict_value *v, unsigned int n)
{
	nft_dict_notify_count(t, row, cmd, v, n);
	if (nft_dict_heard(t->dn->net, NFT_DICT_GROUP_WRITES))
		nft_dict_tell_write(t, row, cmd, v, n);
}

void nft_dict_notify_table(struct nft_dict_table *t, u8 cmd);
int nft_dict_genl_init(void);
void nft_dict_genl_exit(void);

/* expr.c */
int nft_dict_expr_init(void);
void nft_dict_expr_exit(void);

/* proc.c */
int nft_dict_proc_init(struct nft_dict_net *dn);
void nft_dict_proc_exit(struct nft_dict_net *dn);

#endif /* _NFT_DICT_H */
