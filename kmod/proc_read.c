// SPDX-License-Identifier: GPL-2.0-only
/* The output of the text interface: a line for each field of each row. */
#include <linux/ctype.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "proc.h"

/* A line holds three names and two strings, of which each byte may become four. */
#define NFT_DICT_LINE_BYTES	(256 + 3 * NFT_DICT_MAX_NAME + 8 * NFT_DICT_MAX_STRING)

/**
 * struct nft_dict_reader - what an open file reads, and how far it is
 * @dn: the namespace
 * @line: what was selected; nothing for all tables
 * @table: being read, with a reference, or NULL
 * @cursor: in @table, unless the line names a key
 * @last_id: of the table read last
 * @row: being read; only to be compared
 * @field: the next to be looked at in @row
 * @done: at the end
 * @len: bytes of @text
 * @given: of which so many were read
 * @text: a line
 */
struct nft_dict_reader {
	struct nft_dict_net		*dn;
	struct nft_dict_line		line;
	struct nft_dict_table		*table;
	struct nft_dict_cursor		cursor;
	u32				last_id;
	const struct nft_dict_row	*row;
	unsigned int			field;
	bool				done;
	unsigned int			len;
	unsigned int			given;
	char				text[NFT_DICT_LINE_BYTES];
};

static bool nft_dict_reader_all(const struct nft_dict_reader *r)
{
	return !r->line.table[0];
}

/* nft_dict_reader_new - a reader of all tables. */
struct nft_dict_reader *nft_dict_reader_new(struct nft_dict_net *dn)
{
	struct nft_dict_reader *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (r)
		r->dn = dn;
	return r;
}

static void nft_dict_reader_leave(struct nft_dict_reader *r)
{
	if (!r->table)
		return;
	if (!r->line.key.type)
		nft_dict_cursor_end(&r->cursor);
	nft_dict_table_put(r->table);
	r->table = NULL;
}

/* nft_dict_reader_rewind - read from the start. */
void nft_dict_reader_rewind(struct nft_dict_reader *r)
{
	nft_dict_reader_leave(r);
	r->last_id = 0;
	r->row = NULL;
	r->field = 0;
	r->done = false;
	r->len = 0;
	r->given = 0;
}

/* nft_dict_reader_select - read what a line names from now on. */
int nft_dict_reader_select(struct nft_dict_reader *r, const struct nft_dict_line *line)
{
	if (line->value.type || (line->field[0] && !line->key.type) ||
	    (!line->table[0] && !line->key.type))
		return -EINVAL;
	nft_dict_reader_rewind(r);
	r->line = *line;
	if (nft_dict_reader_all(r))
		strscpy(r->line.table, NFT_DICT_PROC_TABLE, sizeof(r->line.table));
	return 0;
}

void nft_dict_reader_free(struct nft_dict_reader *r)
{
	nft_dict_reader_leave(r);
	kfree(r);
}

static bool nft_dict_reader_enter(struct nft_dict_reader *r)
{
	if (nft_dict_reader_all(r))
		r->table = nft_dict_table_after(r->dn, r->last_id);
	else if (!r->last_id)
		r->table = nft_dict_table_get(r->dn, r->line.table);
	if (!r->table)
		return false;
	r->last_id = r->table->id;
	if (!r->line.key.type)
		nft_dict_cursor_start(&r->cursor, r->table);
	return true;
}

/* How many bytes a control character takes at the start of a text, 0 if there is
 * another. U+0080 to U+009F are controls too.
 */
static unsigned int nft_dict_control(const u8 *s, unsigned int len)
{
	if (*s < 0x80)
		return iscntrl(*s) ? 1 : 0;
	return *s == 0xc2 && len > 1 && s[1] < 0xa0 ? 2 : 0;
}

/* Strings are printed so that they end neither the line nor the terminal. */
static void nft_dict_print_string(struct nft_dict_reader *r, const u8 *s, unsigned int len)
{
	unsigned int hidden = 0;

	for (; len; len--, s++) {
		if (!hidden)
			hidden = nft_dict_control(s, len);
		if (hidden) {
			hidden--;
			r->len += scnprintf(r->text + r->len, sizeof(r->text) - r->len,
					    "\\x%02x", *s);
		} else if (r->len < sizeof(r->text) - 1) {
			r->text[r->len++] = *s;
		}
	}
}

static __printf(2, 3) void nft_dict_print(struct nft_dict_reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	r->len += vscnprintf(r->text + r->len, sizeof(r->text) - r->len, format, args);
	va_end(args);
}

static void nft_dict_print_key(struct nft_dict_reader *r, const struct nft_dict_row *row)
{
	const struct nft_dict_key *key = &row->key;

	switch (r->table->key_type) {
	case NFT_DICT_KEY_CT_ID:
	case NFT_DICT_KEY_MARK:
	case NFT_DICT_KEY_INT:
		nft_dict_print(r, "key_int: %u", row->link.flags & NFT_DICT_LINK_SESSION ?
			       nft_dict_session(row)->id : key->data[0]);
		return;
	case NFT_DICT_KEY_ETHER:
		nft_dict_print(r, "key_mac: %pM", key->data);
		return;
	case NFT_DICT_KEY_STRING:
		nft_dict_print(r, "key_string: ");
		nft_dict_print_string(r, (const u8 *)key->data, key->len);
		return;
	}
	if (key->len == 4)
		nft_dict_print(r, "key_ip: %pI4", key->data);
	else
		nft_dict_print(r, "key_ip6: %pI6", key->data);
}

static void nft_dict_print_value(struct nft_dict_reader *r, const struct nft_dict_value *v)
{
	switch (v->type) {
	case NFT_DICT_TYPE_BOOL:
		nft_dict_print(r, "bool: %s", nft_dict_value_number(v) ? "true" : "false");
		break;
	case NFT_DICT_TYPE_INT:
		nft_dict_print(r, "int: %lld", nft_dict_value_number(v));
		break;
	case NFT_DICT_TYPE_INT64:
		nft_dict_print(r, "int64: %lld", nft_dict_value_number(v));
		break;
	case NFT_DICT_TYPE_IPV4:
		nft_dict_print(r, "ip: %pI4", v->data);
		break;
	case NFT_DICT_TYPE_IPV6:
		nft_dict_print(r, "ip6: %pI6", v->data);
		break;
	case NFT_DICT_TYPE_ETHER:
		nft_dict_print(r, "mac: %pM", v->data);
		break;
	case NFT_DICT_TYPE_STRING:
		nft_dict_print(r, "string: ");
		nft_dict_print_string(r, v->data, v->len);
		break;
	}
}

/* Print the next field of a row that the line asks for, and step on; false if
 * there is none.
 */
static bool nft_dict_reader_field(struct nft_dict_reader *r, const struct nft_dict_row *row)
{
	const struct nft_dict_table *t = r->table;
	const struct nft_dict_cells *cells;
	struct nft_dict_value v;

	if (!nft_dict_row_shown(row))
		return false;
	if (row != r->row) {
		r->row = row;
		r->field = 0;
	}
	cells = rcu_dereference(row->cells);
	while (nft_dict_cells_next(cells, &r->field, &v)) {
		if (v.field >= nft_dict_table_fields(t))
			continue;
		if (r->line.field[0] &&
		    v.field != nft_dict_field_index(t, r->line.field))
			continue;
		nft_dict_print(r, "table: %s ", t->name);
		nft_dict_print_key(r, row);
		nft_dict_print(r, " field: %s ", t->fields[v.field]->name[0]);
		nft_dict_print_value(r, &v);
		nft_dict_print(r, "\n");
		return true;
	}
	return false;
}

/* Print the next line of the one row that was selected. */
static bool nft_dict_reader_row(struct nft_dict_reader *r)
{
	union nft_dict_any_key any NFT_DICT_UNINITIALIZED;
	struct nft_dict_row *row;
	bool printed = false;

	if (nft_dict_line_key(&r->line, r->table, &any.key))
		return false;
	rcu_read_lock();
	row = nft_dict_row_seek(r->table, &any.key);
	if (!IS_ERR(row))
		printed = nft_dict_reader_field(r, row);
	rcu_read_unlock();
	return printed;
}

/* Print the next line of the table. */
static bool nft_dict_reader_rows(struct nft_dict_reader *r)
{
	struct nft_dict_row *row = NULL;
	unsigned int steps = 0;
	bool printed = false;

	rcu_read_lock();
	while ((row = nft_dict_cursor_next(&r->cursor, row))) {
		printed = nft_dict_reader_field(r, row);
		if (printed)
			break;
		if (++steps % NFT_DICT_CURSOR_STEPS == 0)
			row = nft_dict_cursor_rest(&r->cursor, row);
	}
	rcu_read_unlock();
	return printed;
}

/* Have the next line ready; false at the end. */
static bool nft_dict_reader_next(struct nft_dict_reader *r)
{
	r->len = 0;
	r->given = 0;
	while (!r->done) {
		if (!r->table && !nft_dict_reader_enter(r)) {
			r->done = true;
			break;
		}
		if (r->line.key.type ? nft_dict_reader_row(r) : nft_dict_reader_rows(r))
			return true;
		nft_dict_reader_leave(r);
	}
	return false;
}

/* nft_dict_reader_read - give as many bytes as there are, up to @count, unless a
 * signal comes.
 */
ssize_t nft_dict_reader_read(struct nft_dict_reader *r, char __user *to, size_t count)
{
	size_t sum = 0;

	while (sum < count) {
		size_t n;

		if (r->given == r->len && !nft_dict_reader_next(r))
			break;
		n = min_t(size_t, count - sum, r->len - r->given);
		if (copy_to_user(to + sum, r->text + r->given, n))
			return sum ? sum : -EFAULT;
		r->given += n;
		sum += n;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return sum;
}
