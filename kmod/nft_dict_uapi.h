/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What the module nft_dict and programs say to each other: the generic netlink
 * family "nft_dict", described by nft_dict.yaml, and the attributes of the
 * nf_tables expression "dict".
 */
#ifndef _UAPI_NFT_DICT_H
#define _UAPI_NFT_DICT_H

#define NFT_DICT_GENL_NAME	"nft_dict"
#define NFT_DICT_GENL_VERSION	1
#define NFT_DICT_MCGRP_CHANGES	"changes"
#define NFT_DICT_MCGRP_WRITES	"writes"

#define NFT_DICT_MAX_NAME	63	/* bytes of a name */
#define NFT_DICT_MAX_STRING	128	/* bytes of a string, value or key */
#define NFT_DICT_MAX_FIELDS	256	/* of a table */
#define NFT_DICT_MAX_ALIASES	8	/* of a field */
#define NFT_DICT_MAX_ROW	16384	/* bytes of the values of a row */
#define NFT_DICT_MAX_ROWS	4096	/* of a request */
#define NFT_DICT_MAX_IDS	8192	/* of a request */
#define NFT_DICT_MAX_TTL	31536000	/* seconds */

/* Bounds of one expression. */
#define NFT_DICT_MAX_DEPTH	3	/* lookups nested by their keys */
#define NFT_DICT_MAX_ITEMS	32
#define NFT_DICT_MAX_TOKENS	128	/* of a glob, stars included */
#define NFT_DICT_MAX_TEXT	480	/* bytes of NFTA_DICT_TEXT without NUL */
#define NFT_DICT_MAX_EXPR	16384	/* bytes of all attributes: a listing has to hold it */

/**
 * enum nft_dict_key_type - type of a table's keys
 * @NFT_DICT_KEY_CT_ID: conntrack id, u32 in host order
 * @NFT_DICT_KEY_IPV4: 4 bytes
 * @NFT_DICT_KEY_IPV6: 16 bytes
 * @NFT_DICT_KEY_ADDRESS: 4 or 16 bytes
 * @NFT_DICT_KEY_ETHER: 6 bytes
 * @NFT_DICT_KEY_MARK: u32 in host order
 * @NFT_DICT_KEY_INT: u32 in host order
 * @NFT_DICT_KEY_STRING: 1 to 128 bytes
 */
enum nft_dict_key_type {
	NFT_DICT_KEY_CT_ID = 1,
	NFT_DICT_KEY_IPV4,
	NFT_DICT_KEY_IPV6,
	NFT_DICT_KEY_ADDRESS,
	NFT_DICT_KEY_ETHER,
	NFT_DICT_KEY_MARK,
	NFT_DICT_KEY_INT,
	NFT_DICT_KEY_STRING,
};

/**
 * enum nft_dict_type - type of a field's values
 *
 * Except @NFT_DICT_TYPE_ADDRESS, which only a field can be of, each is the
 * number of the attribute that carries such a value, see nft_dict_cell_attr.
 */
enum nft_dict_type {
	NFT_DICT_TYPE_BOOL = 1,
	NFT_DICT_TYPE_INT,
	NFT_DICT_TYPE_INT64,
	NFT_DICT_TYPE_IPV4,
	NFT_DICT_TYPE_IPV6,
	NFT_DICT_TYPE_ADDRESS,
	NFT_DICT_TYPE_ETHER,
	NFT_DICT_TYPE_STRING,
};

enum nft_dict_table_flags {
	NFT_DICT_TABLE_BOUND	= 1 << 0,
	NFT_DICT_TABLE_OPEN	= 1 << 1,
};

enum nft_dict_cmd {
	NFT_DICT_CMD_TABLE_NEW = 1,
	NFT_DICT_CMD_TABLE_DEL,
	NFT_DICT_CMD_TABLE_GET,
	NFT_DICT_CMD_FIELD_NEW,
	NFT_DICT_CMD_ROW_PUT,
	NFT_DICT_CMD_ROW_GET,
	NFT_DICT_CMD_ROW_DEL,
	NFT_DICT_CMD_ROW_RENEW,
	NFT_DICT_CMD_FLUSH,
	NFT_DICT_CMD_TABLE_NTF,
	NFT_DICT_CMD_TABLE_DEL_NTF,
	NFT_DICT_CMD_ROW_NTF,
	NFT_DICT_CMD_ROW_DEL_NTF,
	NFT_DICT_CMD_ROW_ADD,
	NFT_DICT_CMD_RECALL,

	__NFT_DICT_CMD_MAX,
};

#define NFT_DICT_CMD_MAX	(__NFT_DICT_CMD_MAX - 1)

/* Attributes of a message. */
enum nft_dict_attr {
	NFT_DICT_A_TABLE = 1,	/* NLA_STRING */
	NFT_DICT_A_TABLE_ID,	/* NLA_U32 */
	NFT_DICT_A_KEY_TYPE,	/* NLA_U32, enum nft_dict_key_type */
	NFT_DICT_A_LIMIT,	/* NLA_U32 */
	NFT_DICT_A_TIMEOUT,	/* NLA_U32, seconds */
	NFT_DICT_A_FLAGS,	/* NLA_U32, enum nft_dict_table_flags */
	NFT_DICT_A_FIELD,	/* NLA_NESTED, nft_dict_field_attr, many */
	NFT_DICT_A_ROW,		/* NLA_NESTED, nft_dict_row_attr, many */
	NFT_DICT_A_ROWS,	/* NLA_U32 */
	NFT_DICT_A_REFUSED,	/* NLA_U64 */
	NFT_DICT_A_USERS,	/* NLA_U32 */
	NFT_DICT_A_COUNT,	/* NLA_U32 */
	NFT_DICT_A_REFUSAL,	/* NLA_NESTED, nft_dict_refusal_attr, many */
	NFT_DICT_A_BYTES,	/* NLA_U64 */
	NFT_DICT_A_PAD,
	NFT_DICT_A_VERSION,	/* NLA_STRING */
	NFT_DICT_A_IDS,		/* NLA_BINARY, u32 in host order each */
	NFT_DICT_A_CHANGES,	/* NLA_U32 */

	__NFT_DICT_A_MAX,
};

#define NFT_DICT_A_MAX		(__NFT_DICT_A_MAX - 1)

/*
 * A field and its value. The value's attribute is that of its type: the
 * numbers are those of enum nft_dict_type. Numbers are in host order, addresses
 * in network order; strings are not terminated.
 */
enum nft_dict_cell_attr {
	NFT_DICT_CELL_BOOL = NFT_DICT_TYPE_BOOL,	/* NLA_U8, 0 or 1 */
	NFT_DICT_CELL_INT = NFT_DICT_TYPE_INT,		/* NLA_S32 */
	NFT_DICT_CELL_INT64 = NFT_DICT_TYPE_INT64,	/* NLA_S64 */
	NFT_DICT_CELL_IPV4 = NFT_DICT_TYPE_IPV4,	/* 4 bytes */
	NFT_DICT_CELL_IPV6 = NFT_DICT_TYPE_IPV6,	/* 16 bytes */
	NFT_DICT_CELL_ETHER = NFT_DICT_TYPE_ETHER,	/* 6 bytes */
	NFT_DICT_CELL_STRING = NFT_DICT_TYPE_STRING,	/* 0 to 128 bytes */
	NFT_DICT_CELL_FIELD,	/* NLA_U32, position in the table */
	NFT_DICT_CELL_NAME,	/* NLA_STRING */
	NFT_DICT_CELL_PAD,

	__NFT_DICT_CELL_MAX,
};

#define NFT_DICT_CELL_MAX	(__NFT_DICT_CELL_MAX - 1)

enum nft_dict_row_attr {
	NFT_DICT_ROW_KEY = 1,	/* NLA_BINARY, see enum nft_dict_key_type */
	NFT_DICT_ROW_TTL,	/* NLA_U32, seconds */
	NFT_DICT_ROW_CELL,	/* NLA_NESTED, nft_dict_cell_attr, many */

	__NFT_DICT_ROW_MAX,
};

#define NFT_DICT_ROW_MAX	(__NFT_DICT_ROW_MAX - 1)

enum nft_dict_field_attr {
	NFT_DICT_FIELD_NAME = 1,	/* NLA_STRING */
	NFT_DICT_FIELD_TYPE,		/* NLA_U32, enum nft_dict_type */
	NFT_DICT_FIELD_DEFAULT,		/* NLA_NESTED, nft_dict_cell_attr */
	NFT_DICT_FIELD_ALIAS,		/* NLA_STRING, many */
	NFT_DICT_FIELD_INDEX,		/* NLA_U32 */

	__NFT_DICT_FIELD_MAX,
};

#define NFT_DICT_FIELD_MAX	(__NFT_DICT_FIELD_MAX - 1)

enum nft_dict_refusal_attr {
	NFT_DICT_REFUSAL_INDEX = 1,	/* NLA_U32 */
	NFT_DICT_REFUSAL_ERROR,		/* NLA_U32, errno */
	NFT_DICT_REFUSAL_MESSAGE,	/* NLA_STRING */
	NFT_DICT_REFUSAL_OFFSET,	/* NLA_U32 */

	__NFT_DICT_REFUSAL_MAX,
};

#define NFT_DICT_REFUSAL_MAX	(__NFT_DICT_REFUSAL_MAX - 1)

/**
 * enum nft_dict_ops - what the expression "dict" does
 * @NFT_DICT_LOAD: put the field's value into a register, break if there is
 *	none. Bools are 1 byte, addresses as on the wire. Ints and int64s are 2,
 *	4 or 8 bytes in host order: into fewer than their own a number goes that
 *	fits them without a sign, others break. Strings are padded with NUL to
 *	NFTA_DICT_LEN; the last byte of a longer one is 0xff, which no text has, so
 *	that it equals none.
 * @NFT_DICT_MATCH: break unless the field's value satisfies NFTA_DICT_CMP.
 * @NFT_DICT_SET: store a value; the rule goes on in any case, as with all below.
 * @NFT_DICT_ADD: add to an int or int64, within its limits
 * @NFT_DICT_SUB: subtract likewise
 * @NFT_DICT_FLUSH: delete the row
 * @NFT_DICT_ATTACH: bind the packet's conntrack entry to a table with
 *	NFT_DICT_TABLE_BOUND, so that a row can be put for it by its id while it is
 *	unconfirmed. Readers do not see it as a row until one is put.
 */
enum nft_dict_ops {
	NFT_DICT_LOAD = 1,
	NFT_DICT_MATCH,
	NFT_DICT_SET,
	NFT_DICT_ADD,
	NFT_DICT_SUB,
	NFT_DICT_FLUSH,
	NFT_DICT_ATTACH,
};

enum nft_dict_cmp {
	NFT_DICT_EQ = 1,	/* the value is in one of the items */
	NFT_DICT_NE,		/* it is there and in none of them */
	NFT_DICT_LT,		/* the only item's LO; int, int64, addresses */
	NFT_DICT_LE,
	NFT_DICT_GT,
	NFT_DICT_GE,
	NFT_DICT_EXISTS,	/* no items; defaults do not count */
	NFT_DICT_MISSING,
};

/**
 * enum nft_dict_packet - what the expression reads of a packet by itself
 * @NFT_DICT_PACKET_LENGTH: its bytes, as `meta length` of nf_tables counts them
 */
enum nft_dict_packet {
	NFT_DICT_PACKET_LENGTH = 1,
};

/*
 * Attributes of the expression, numbers in network order as everywhere in
 * nf_tables, except in values (nft_dict_cell_attr) and globs.
 *
 * The errors of loading it: ENOENT no such table, ENODATA no such field,
 * EPROTOTYPE a type that the field or the value has not, EKEYREJECTED a key
 * that the table has not, EOPNOTSUPP an operation that the type has not (or a
 * family where the conntrack entry does not exist), ERANGE a range the wrong
 * way round or a number out of bounds, E2BIG too many items, tokens, nested
 * lookups or bytes, EINVAL attributes that are missing, superfluous or malformed.
 */
enum nft_dict_expr_attr {
	NFTA_DICT_UNSPEC,
	NFTA_DICT_OP,		/* NLA_U32, enum nft_dict_ops */
	NFTA_DICT_LOOKUP,	/* NLA_NESTED, nft_dict_lookup_attr: row and field */
	NFTA_DICT_DREG,		/* NLA_U32, LOAD */
	NFTA_DICT_CMP,		/* NLA_U32, MATCH, enum nft_dict_cmp */
	NFTA_DICT_ITEMS,	/* NLA_NESTED, MATCH: NFTA_LIST_ELEMs, each a nest
				 * of nft_dict_item_attr
				 */
	/* What is written, one of four: */
	NFTA_DICT_VALUE,	/* NLA_NESTED, nft_dict_cell_attr, of the lookup's type */
	NFTA_DICT_SREG,		/* NLA_U32, a register as LOAD fills it; 4 bytes
				 * without sign serve int and int64 alike
				 */
	NFTA_DICT_SOURCE,	/* NLA_NESTED, nft_dict_lookup_attr; ADD and SUB of
				 * an int take int64, and int64 takes int
				 */
	NFTA_DICT_LEN,		/* NLA_U32, bytes of DREG or SREG */
	NFTA_DICT_TEXT,		/* NLA_STRING, kept and dumped, else ignored */
	NFTA_DICT_PACKET,	/* NLA_U32, enum nft_dict_packet: what is added or
				 * subtracted; since 1.2
				 */

	__NFTA_DICT_MAX,
};

#define NFTA_DICT_MAX		(__NFTA_DICT_MAX - 1)

/* A row, by its key, and mostly one of its fields. */
enum nft_dict_lookup_attr {
	NFTA_DICT_LOOKUP_TABLE = 1,	/* NLA_STRING */
	NFTA_DICT_LOOKUP_FIELD,		/* NLA_STRING; not for FLUSH and ATTACH */
	NFTA_DICT_LOOKUP_TYPE,		/* NLA_U32, enum nft_dict_type: of the value
					 * asked for; others are missing. Absent
					 * only in EXISTS and MISSING: any
					 */
	/* The key, one of three: */
	NFTA_DICT_LOOKUP_SREG,		/* NLA_U32, a register, as nf_tables loads keys */
	NFTA_DICT_LOOKUP_CT,		/* NLA_FLAG, the packet's conntrack entry */
	NFTA_DICT_LOOKUP_NESTED,	/* NLA_NESTED, nft_dict_lookup_attr */
	NFTA_DICT_LOOKUP_LEN,		/* NLA_U32, bytes of SREG: 4, 6 or 16 by the
					 * type of key; up to 64 for a string, which
					 * ends at the first NUL
					 */

	__NFTA_DICT_LOOKUP_MAX,
};

#define NFTA_DICT_LOOKUP_MAX	(__NFTA_DICT_LOOKUP_MAX - 1)

/* Values from LO to HI, or a glob. */
enum nft_dict_item_attr {
	NFTA_DICT_ITEM_LO = 1,		/* NLA_NESTED, nft_dict_cell_attr */
	NFTA_DICT_ITEM_HI,		/* likewise; absent where it is LO */
	NFTA_DICT_ITEM_TOKENS,		/* NLA_BINARY, u16 each, see below */
	NFTA_DICT_ITEM_CLASSES,		/* NLA_BINARY, 32 bytes each: byte c is in the
					 * class if bit c%8 of byte c/8 is set
					 */

	__NFTA_DICT_ITEM_MAX,
};

#define NFTA_DICT_ITEM_MAX	(__NFTA_DICT_ITEM_MAX - 1)

/* A token of a glob, u16 in host order: 0 to 255 is that byte. */
#define NFT_DICT_TOKEN_ANY	256	/* any one byte */
#define NFT_DICT_TOKEN_STAR	257	/* any run of bytes, also an empty one */
#define NFT_DICT_TOKEN_CLASS	258	/* this + i: a byte of class i */

#endif /* _UAPI_NFT_DICT_H */
