/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the text interface share. */
#ifndef _NFT_DICT_PROC_H
#define _NFT_DICT_PROC_H

#include "nft_dict.h"

/* The table that is meant where none is named. */
#define NFT_DICT_PROC_TABLE	"None"

struct nft_dict_text_value {
	u8 type; /* enum nft_dict_type, 0 for none; numbers as keys are int64 */
	u8 len;
	union {
		u8	bytes[NFT_DICT_MAX_STRING];
		s32	i;
		s64	l;
	};
};

/* A line, read. */
struct nft_dict_line {
	char				table[NFT_DICT_MAX_NAME + 1]; /* empty for none */
	char				field[NFT_DICT_MAX_NAME + 1];
	struct nft_dict_text_value	key;
	struct nft_dict_text_value	value;
};

int nft_dict_line_parse(struct nft_dict_line *line, char *text);
u8 nft_dict_line_key_type(const struct nft_dict_line *line);
int nft_dict_line_key(const struct nft_dict_line *line, const struct nft_dict_table *t,
		      struct nft_dict_key *key);

/* proc_read.c */
struct nft_dict_reader;

struct nft_dict_reader *nft_dict_reader_new(struct nft_dict_net *dn);
int nft_dict_reader_select(struct nft_dict_reader *r, const struct nft_dict_line *line);
void nft_dict_reader_rewind(struct nft_dict_reader *r);
ssize_t nft_dict_reader_read(struct nft_dict_reader *r, char __user *to, size_t count);
void nft_dict_reader_free(struct nft_dict_reader *r);

#endif /* _NFT_DICT_PROC_H */
