// SPDX-License-Identifier: GPL-2.0-only
/*
 * Globs: sequences of tokens, each a class of bytes or a star, which stands for
 * any run of bytes.
 *
 * A string is matched in one pass, whatever the glob: the automaton's states,
 * "so many tokens have matched", are bits of one word of 128, and each byte
 * moves all of them at once.
 */
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/slab.h>

#include "nft_dict.h"

#define NFT_DICT_GLOB_WORDS	(NFT_DICT_MAX_TOKENS / 64)
#define NFT_DICT_CLASS_BYTES	32

/**
 * struct nft_dict_glob - a glob
 * @tokens: how many there are without stars
 * @star_first: whether it begins with a star
 * @star: bit i is set if a star follows token i
 * @accept: by byte: bit i is set if token i matches it
 */
struct nft_dict_glob {
	unsigned int	tokens;
	bool		star_first;
	u64		star[NFT_DICT_GLOB_WORDS];
	u64		accept[256][NFT_DICT_GLOB_WORDS];
};

static void nft_dict_glob_class(struct nft_dict_glob *g, const u8 *class)
{
	unsigned int word = g->tokens / 64, c;

	for (c = 0; c < 256; c++)
		if (!class || class[c / 8] & BIT(c % 8))
			g->accept[c][word] |= BIT_ULL(g->tokens % 64);
	g->tokens++;
}

static void nft_dict_glob_star(struct nft_dict_glob *g)
{
	if (!g->tokens)
		g->star_first = true;
	else
		g->star[(g->tokens - 1) / 64] |= BIT_ULL((g->tokens - 1) % 64);
}

/* nft_dict_glob_new - make a glob of the attributes of an item: -EINVAL if they
 * are malformed, -E2BIG for too many tokens. Freed with kfree.
 */
struct nft_dict_glob *nft_dict_glob_new(const struct nlattr *tokens,
					const struct nlattr *classes)
{
	unsigned int n = nla_len(tokens) / sizeof(u16), i;
	unsigned int len = classes ? nla_len(classes) : 0;
	const u8 *class = classes ? nla_data(classes) : NULL;
	const u16 *token = nla_data(tokens);
	struct nft_dict_glob *g;

	if (nla_len(tokens) % sizeof(u16) || len % NFT_DICT_CLASS_BYTES)
		return ERR_PTR(-EINVAL);
	if (n > NFT_DICT_MAX_TOKENS)
		return ERR_PTR(-E2BIG);
	g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	if (!g)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < n; i++) {
		if (token[i] < NFT_DICT_TOKEN_ANY) {
			g->accept[token[i]][g->tokens / 64] |= BIT_ULL(g->tokens % 64);
			g->tokens++;
		} else if (token[i] == NFT_DICT_TOKEN_ANY) {
			nft_dict_glob_class(g, NULL);
		} else if (token[i] == NFT_DICT_TOKEN_STAR) {
			nft_dict_glob_star(g);
		} else if (token[i] - NFT_DICT_TOKEN_CLASS < len / NFT_DICT_CLASS_BYTES) {
			nft_dict_glob_class(g, class + (token[i] - NFT_DICT_TOKEN_CLASS) *
						       NFT_DICT_CLASS_BYTES);
		} else {
			kfree(g);
			return ERR_PTR(-EINVAL);
		}
	}
	return g;
}

/* nft_dict_glob_match - whether the whole of a string matches. */
bool nft_dict_glob_match(const struct nft_dict_glob *g, const u8 *s, unsigned int len)
{
	u64 lo = 0, hi = 0; /* bit i: as many as i + 1 tokens match what went before */
	u64 none = 1;       /* no token has matched yet, and one may begin here */

	for (; len; len--, s++) {
		const u64 *accept = g->accept[*s];

		hi = ((hi << 1 | lo >> 63) & accept[1]) | (hi & g->star[1]);
		lo = ((lo << 1 | none) & accept[0]) | (lo & g->star[0]);
		none = g->star_first;
		if (!(lo | hi | none))
			return false;
	}
	if (!g->tokens)
		return none;
	if (g->tokens <= 64)
		return lo >> (g->tokens - 1) & 1;
	return hi >> (g->tokens - 65) & 1;
}
