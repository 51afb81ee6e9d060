// SPDX-License-Identifier: GPL-2.0-only
/* Names, and values of all types. */
#include <linux/if_ether.h>
#include <linux/string.h>

#include "compat.h"
#include "nft_dict.h"

/* nft_dict_name_copy - copy a name in canonical form: a letter or '_', then
 * letters, digits, '_', '-' and '.', with '-' as '_'. @to has room for
 * NFT_DICT_MAX_NAME bytes and a NUL. Returns false if it is no name.
 */
bool nft_dict_name_copy(char *to, const char *name, size_t len)
{
	size_t i;

	if (!len || len > NFT_DICT_MAX_NAME)
		return false;
	for (i = 0; i < len; i++) {
		char c = name[i], lower = c | 0x20;
		bool letter = (lower >= 'a' && lower <= 'z') || c == '_';
		bool rest = (c >= '0' && c <= '9') || c == '-' || c == '.';

		if (!letter && (!i || !rest))
			return false;
		to[i] = c == '-' ? '_' : c;
	}
	to[len] = '\0';
	return true;
}

/* nft_dict_string_check - 0 if the bytes are UTF-8 without NUL and not too
 * many, else -EILSEQ or -ENAMETOOLONG.
 */
int nft_dict_string_check(const char *s, size_t len)
{
	const u8 *p = (const u8 *)s, *end = p + len;

	if (len > NFT_DICT_MAX_STRING)
		return -ENAMETOOLONG;
	while (p < end && (u8)(*p - 1) < 0x7f)
		p++;
	while (p < end) {
		/* The least character of so many bytes; the rest is overlong. */
		static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
		unsigned int n, i;
		u32 c = *p;

		if (c && c < 0x80) {
			p++;
			continue;
		}
		if (c >= 0xc0 && c < 0xe0)
			n = 2;
		else if (c >= 0xe0 && c < 0xf0)
			n = 3;
		else if (c >= 0xf0 && c < 0xf8)
			n = 4;
		else
			return -EILSEQ;
		if (end - p < n)
			return -EILSEQ;
		c &= 0x7f >> n;
		for (i = 1; i < n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return -EILSEQ;
			c = c << 6 | (p[i] & 0x3f);
		}
		if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return -EILSEQ;
		p += n;
	}
	return 0;
}

static const u8 nft_dict_value_len[] = {
	[NFT_DICT_TYPE_BOOL]	= sizeof(u8),
	[NFT_DICT_TYPE_INT]	= sizeof(s32),
	[NFT_DICT_TYPE_INT64]	= sizeof(s64),
	[NFT_DICT_TYPE_IPV4]	= 4,
	[NFT_DICT_TYPE_IPV6]	= 16,
	[NFT_DICT_TYPE_ETHER]	= ETH_ALEN,
};

/* nft_dict_value_good - whether an attribute that has the number of a type is a
 * value.
 */
bool nft_dict_value_good(const struct nlattr *attr)
{
	unsigned int type = nla_type(attr), len = nla_len(attr);

	if (type == NFT_DICT_TYPE_STRING)
		return !nft_dict_string_check(nla_data(attr), len);
	return len && type < ARRAY_SIZE(nft_dict_value_len) && len == nft_dict_value_len[type] &&
	       (type != NFT_DICT_TYPE_BOOL || nla_get_u8(attr) <= 1);
}

/* nft_dict_value_parse - read a value from the attribute of its type. The
 * value points into the attribute.
 */
int nft_dict_value_parse(struct nft_dict_value *v, const struct nlattr *attr,
			 struct netlink_ext_ack *extack)
{
	unsigned int type = nla_type(attr), len = nla_len(attr);

	if (type == NFT_DICT_TYPE_STRING) {
		if (len > NFT_DICT_MAX_STRING) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "string is longer than 128 bytes");
			return -ERANGE;
		}
		if (nft_dict_string_check(nla_data(attr), len)) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "string holds NUL or is not UTF-8");
			return -EINVAL;
		}
	} else if (type >= ARRAY_SIZE(nft_dict_value_len) || !nft_dict_value_len[type]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "attribute is no value");
		return -EINVAL;
	} else if (len != nft_dict_value_len[type]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "value has not the length of its type");
		return -EINVAL;
	} else if (type == NFT_DICT_TYPE_BOOL && nla_get_u8(attr) > 1) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "bool is neither 0 nor 1");
		return -EINVAL;
	}
	v->data = nla_data(attr);
	v->type = type;
	v->len = len;
	return 0;
}

/* nft_dict_value_only - read the one value in a nest. */
int nft_dict_value_only(struct nft_dict_value *v, const struct nlattr *nest,
			struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rem, err;

	v->type = 0;
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) == NFT_DICT_CELL_PAD)
			continue;
		if (v->type) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "more than one value");
			return -EINVAL;
		}
		err = nft_dict_value_parse(v, attr, extack);
		if (err)
			return err;
	}
	if (!v->type) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "no value");
		return -EINVAL;
	}
	return 0;
}

/* nft_dict_value_fit - make @v one that a field of @type holds: an int becomes
 * an int64, with @wide as its bytes. Returns -EPROTOTYPE if it cannot be.
 */
int nft_dict_value_fit(struct nft_dict_value *v, u8 type, s64 *wide)
{
	if (nft_dict_type_mask(type) & BIT(v->type))
		return 0;
	if (type != NFT_DICT_TYPE_INT64 || v->type != NFT_DICT_TYPE_INT)
		return -EPROTOTYPE;
	*wide = nft_dict_value_number(v);
	v->data = wide;
	v->type = NFT_DICT_TYPE_INT64;
	v->len = sizeof(*wide);
	return 0;
}

int nft_dict_value_put(struct sk_buff *skb, const struct nft_dict_value *v)
{
	/* Numbers are set in place, one store at a time, and read by one load. */
	if (v->type == NFT_DICT_TYPE_INT64) {
		s64 n = nft_dict_value_number(v);

		return nla_put_64bit(skb, v->type, sizeof(n), &n, NFT_DICT_CELL_PAD);
	}
	if (v->len == sizeof(u32)) {
		u32 word = get_unaligned((const u32 *)v->data);

		return nla_put(skb, v->type, sizeof(word), &word);
	}
	return nla_put(skb, v->type, v->len, v->data);
}

/* nft_dict_value_number - the number that orders values of a type, but for
 * IPv6 addresses and strings.
 */
s64 nft_dict_value_number(const struct nft_dict_value *v)
{
	switch (v->type) {
	case NFT_DICT_TYPE_BOOL:
		return *(const u8 *)v->data;
	case NFT_DICT_TYPE_INT:
		return (s32)get_unaligned((const u32 *)v->data);
	case NFT_DICT_TYPE_INT64:
		if (BITS_PER_LONG == 64 && IS_ALIGNED((unsigned long)v->data, 8))
			return READ_ONCE(*(const s64 *)v->data);
		return get_unaligned((const s64 *)v->data);
	case NFT_DICT_TYPE_IPV4:
		return get_unaligned_be32(v->data);
	case NFT_DICT_TYPE_ETHER:
		return (s64)get_unaligned_be16(v->data) << 32 | get_unaligned_be32(v->data + 2);
	}
	return 0;
}

bool nft_dict_value_equal(const struct nft_dict_value *a, const struct nft_dict_value *b)
{
	return a->type == b->type && a->len == b->len && !memcmp(a->data, b->data, a->len);
}
