/* SPDX-License-Identifier: GPL-2.0-only */
/* Lookups of rules: a row by its key, and one of its fields. */
#ifndef _NFT_DICT_LOOKUP_H
#define _NFT_DICT_LOOKUP_H

#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_tables.h>

#include "find.h"
#include "nft_dict.h"

enum nft_dict_key_source {
	NFT_DICT_KEY_FROM_REG,
	NFT_DICT_KEY_FROM_WORD,		/* 4 bytes of a register */
	NFT_DICT_KEY_FROM_CT,		/* the id of the packet's conntrack entry */
	NFT_DICT_KEY_FROM_ENTRY,	/* the entry itself, for a bound table */
	NFT_DICT_KEY_FROM_LOOKUP,
};

/**
 * struct nft_dict_lookup - a lookup, resolved when the rule was loaded
 * @table: to which it holds a reference
 * @nested: yields the key, for NFT_DICT_KEY_FROM_LOOKUP
 * @def: answers where row or field is missing, if it has a type
 * @mask: types of values that are taken
 * @field: position of the field
 * @type: asked for, 0 for any
 * @source: enum nft_dict_key_source
 * @sreg: register of the key
 * @len: bytes of the key in it
 * @string: whether they end at a NUL
 * @used: whether it counts among the table's users
 */
struct nft_dict_lookup {
	struct nft_dict_table	*table;
	struct nft_dict_lookup	*nested;
	struct nft_dict_value	def;
	u16			mask;
	u16			field;
	u8			type;
	u8			source;
	u8			sreg;
	u8			len;
	bool			string;
	bool			used;
};

bool nft_dict_lookup_key(const struct nft_dict_lookup *l, const struct nft_regs *regs,
			 const struct nft_pktinfo *pkt, struct nft_dict_key *key);
struct nft_dict_row *nft_dict_lookup_any(const struct nft_dict_lookup *l,
					 const struct nft_regs *regs,
					 const struct nft_pktinfo *pkt);
bool nft_dict_lookup_value(const struct nft_dict_lookup *l, const struct nft_regs *regs,
			   const struct nft_pktinfo *pkt, struct nft_dict_value *v);

/* nft_dict_packet_ct - the conntrack entry of a packet, or NULL. */
static inline struct nf_conn *nft_dict_packet_ct(const struct nft_pktinfo *pkt)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(pkt->skb, &ctinfo);

	return ct && !nf_ct_is_template(ct) ? ct : NULL;
}

/* nft_dict_lookup_row - the row that a packet asks for, NULL if there is none,
 * -ENOKEY if the packet has no key. Under RCU. It may have expired.
 */
static inline struct nft_dict_row *nft_dict_lookup_row(const struct nft_dict_lookup *l,
						       const struct nft_regs *regs,
						       const struct nft_pktinfo *pkt)
{
	const struct nf_conn *ct;

	if (l->source == NFT_DICT_KEY_FROM_WORD)
		return nft_dict_row_find_word(l->table, regs->data[l->sreg]);
	if (l->source == NFT_DICT_KEY_FROM_ENTRY) {
		ct = nft_dict_packet_ct(pkt);
		return ct ? nft_dict_row_meet_entry(l->table, ct) : ERR_PTR(-ENOKEY);
	}
	return nft_dict_lookup_any(l, regs, pkt);
}

/* nft_dict_lookup_cell - the value of the field in a row, NULL for none, else
 * the default; false if there is none of the types that are taken.
 */
static inline bool nft_dict_lookup_cell(const struct nft_dict_lookup *l,
					const struct nft_dict_row *row,
					struct nft_dict_value *v)
{
	if (row && !nft_dict_row_expired(row) &&
	    nft_dict_cells_get(rcu_dereference(row->cells), l->field, v))
		return l->mask & BIT(v->type);
	*v = l->def;
	return v->type;
}

struct nft_dict_lookup *nft_dict_lookup_new(const struct nft_ctx *ctx, const struct nlattr *nest,
					    bool field);
void nft_dict_lookup_unuse(struct nft_dict_lookup *l);
void nft_dict_lookup_free(const struct nft_ctx *ctx, struct nft_dict_lookup *l);

#endif /* _NFT_DICT_LOOKUP_H */
