// SPDX-License-Identifier: GPL-2.0-only
/* A line of the text interface: comma-separated tokens in any order. */
#include <linux/etherdevice.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "proc.h"

static int nft_dict_text_number(const char *s, s64 min, s64 max, s64 *n)
{
	const char *digits = *s == '-' || *s == '+' ? s + 1 : s;
	bool hex = digits[0] == '0' && (digits[1] | 0x20) == 'x';

	/* Neither octal numbers nor an end of the line. */
	if (kstrtoll(s, hex ? 16 : 10, n) || strchr(s, '\n') || *n < min || *n > max)
		return -EINVAL;
	return 0;
}

static int nft_dict_text_bool(const char *s, u8 *b)
{
	if (!strcmp(s, "true") || !strcmp(s, "1"))
		*b = 1;
	else if (!strcmp(s, "false") || !strcmp(s, "0"))
		*b = 0;
	else
		return -EINVAL;
	return 0;
}

static int nft_dict_text_address(const char *s, u8 type, u8 *bytes)
{
	const char *end;
	int ok;

	if (type == NFT_DICT_TYPE_IPV4)
		ok = in4_pton(s, -1, bytes, -1, &end);
	else
		ok = in6_pton(s, -1, bytes, -1, &end);
	return ok && !*end ? 0 : -EINVAL;
}

/* Read a text as a value of @type into @bytes. */
static int nft_dict_text_value(const char *s, u8 type, struct nft_dict_text_value *v)
{
	int err = -EINVAL;
	s64 n;

	v->type = type;
	switch (type) {
	case NFT_DICT_TYPE_BOOL:
		v->len = sizeof(u8);
		return nft_dict_text_bool(s, v->bytes);
	case NFT_DICT_TYPE_INT:
		v->len = sizeof(s32);
		err = nft_dict_text_number(s, S32_MIN, S32_MAX, &n);
		v->i = n;
		return err;
	case NFT_DICT_TYPE_INT64:
		v->len = sizeof(s64);
		return nft_dict_text_number(s, S64_MIN, S64_MAX, &v->l);
	case NFT_DICT_TYPE_IPV4:
		v->len = 4;
		return nft_dict_text_address(s, type, v->bytes);
	case NFT_DICT_TYPE_IPV6:
		v->len = 16;
		return nft_dict_text_address(s, type, v->bytes);
	case NFT_DICT_TYPE_ETHER:
		v->len = ETH_ALEN;
		return strlen(s) == 3 * ETH_ALEN - 1 && mac_pton(s, v->bytes) ? 0 : -EINVAL;
	}
	if (nft_dict_string_check(s, strlen(s)))
		return -EINVAL;
	v->len = strlen(s);
	memcpy(v->bytes, s, v->len);
	return 0;
}

static const struct {
	const char	*word;
	u8		type;
	bool		key;
} nft_dict_tokens[] = {
	{ "string",	NFT_DICT_TYPE_STRING,	false },
	{ "value",	NFT_DICT_TYPE_STRING,	false },
	{ "int",	NFT_DICT_TYPE_INT,	false },
	{ "int64",	NFT_DICT_TYPE_INT64,	false },
	{ "bool",	NFT_DICT_TYPE_BOOL,	false },
	{ "ip",		NFT_DICT_TYPE_IPV4,	false },
	{ "ip6",	NFT_DICT_TYPE_IPV6,	false },
	{ "mac",	NFT_DICT_TYPE_ETHER,	false },
	{ "key_string",	NFT_DICT_TYPE_STRING,	true },
	{ "key_int",	NFT_DICT_TYPE_INT64,	true },
	{ "key_ip",	NFT_DICT_TYPE_IPV4,	true },
	{ "key_ip6",	NFT_DICT_TYPE_IPV6,	true },
	{ "key_mac",	NFT_DICT_TYPE_ETHER,	true },
};

static int nft_dict_line_name(char *name, const char *text)
{
	if (*name || !nft_dict_name_copy(name, text, strlen(text)))
		return -EINVAL;
	return 0;
}

static int nft_dict_line_token(struct nft_dict_line *line, char *token)
{
	char *text = strchr(token, '=');
	unsigned int i;

	if (!text)
		return -EINVAL;
	*text++ = '\0';
	if (!strcmp(token, "table"))
		return nft_dict_line_name(line->table, text);
	if (!strcmp(token, "field"))
		return nft_dict_line_name(line->field, text);
	for (i = 0; i < ARRAY_SIZE(nft_dict_tokens); i++) {
		struct nft_dict_text_value *v;
		int err;

		if (strcmp(token, nft_dict_tokens[i].word))
			continue;
		v = nft_dict_tokens[i].key ? &line->key : &line->value;
		if (v->type)
			return -EINVAL;
		err = nft_dict_text_value(text, nft_dict_tokens[i].type, v);
		if (!err && v == &line->key && v->type == NFT_DICT_TYPE_INT64 &&
		    (v->l < 0 || v->l > U32_MAX))
			err = -EINVAL;
		if (!err && v == &line->key && !v->len)
			err = -EINVAL;
		return err;
	}
	return -EINVAL;
}

/* nft_dict_line_parse - read a line without its end, which it alters: -EINVAL
 * unless each token is known, right, and there once.
 */
int nft_dict_line_parse(struct nft_dict_line *line, char *text)
{
	char *token;

	memset(line, 0, sizeof(*line));
	while ((token = strsep(&text, ","))) {
		int err = nft_dict_line_token(line, token);

		if (err)
			return err;
	}
	return 0;
}

/* nft_dict_line_key_type - the type of keys that a table has which a line
 * brings into being. Of a table without a name it is that of conntrack ids,
 * which rules look up in it.
 */
u8 nft_dict_line_key_type(const struct nft_dict_line *line)
{
	switch (line->key.type) {
	case NFT_DICT_TYPE_INT64:
		return line->table[0] ? NFT_DICT_KEY_INT : NFT_DICT_KEY_CT_ID;
	case NFT_DICT_TYPE_IPV4:
	case NFT_DICT_TYPE_IPV6:
		return NFT_DICT_KEY_ADDRESS;
	case NFT_DICT_TYPE_ETHER:
		return NFT_DICT_KEY_ETHER;
	}
	return NFT_DICT_KEY_STRING;
}

/* nft_dict_line_key - the line's key as one of a table: -EINVAL if it has keys of
 * another type. @key has room for any.
 */
int nft_dict_line_key(const struct nft_dict_line *line, const struct nft_dict_table *t,
		      struct nft_dict_key *key)
{
	bool good = false;

	switch (line->key.type) {
	case NFT_DICT_TYPE_INT64:
		good = t->key_type == NFT_DICT_KEY_INT || t->key_type == NFT_DICT_KEY_MARK ||
		       t->key_type == NFT_DICT_KEY_CT_ID;
		break;
	case NFT_DICT_TYPE_IPV4:
		good = t->key_type == NFT_DICT_KEY_IPV4 || t->key_type == NFT_DICT_KEY_ADDRESS;
		break;
	case NFT_DICT_TYPE_IPV6:
		good = t->key_type == NFT_DICT_KEY_IPV6 || t->key_type == NFT_DICT_KEY_ADDRESS;
		break;
	case NFT_DICT_TYPE_ETHER:
		good = t->key_type == NFT_DICT_KEY_ETHER;
		break;
	case NFT_DICT_TYPE_STRING:
		good = t->key_type == NFT_DICT_KEY_STRING;
		break;
	}
	if (!good)
		return -EINVAL;
	if (line->key.type == NFT_DICT_TYPE_INT64) {
		key->len = sizeof(u32);
		key->data[0] = line->key.l;
	} else {
		key->len = line->key.len;
		key->data[(key->len - 1) / sizeof(u32)] = 0;
		memcpy(key->data, line->key.bytes, key->len);
	}
	return 0;
}
