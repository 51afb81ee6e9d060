// SPDX-License-Identifier: GPL-2.0-only

/* How a program in a rule finds the row that a packet means: it reads a key
 * from the packet, or follows the values of other tables' rows to it. What a
 * rule asks for stands in constants, so the verifier leaves out what it
 * does not need.
 */
#ifndef NFTDICT_CONSULT_H
#define NFTDICT_CONSULT_H

#define COARSE_CLOCK
#include "table.h"
#include <bpf/bpf_endian.h>

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define ETH_HLEN 14
#define NESTED 2
#define TRIES 4

/* Of the kernel's packet we read only these, at the offsets of the running
 * kernel. Never through the loads of a pointer: the context is no such.
 */
struct packet_layout {
	__u32 secmark;
	__u32 network_header;
	__u32 mac_header;
};

const volatile struct packet_layout packet = {};

#define read_skb(to, skb, field) \
	bpf_probe_read_kernel(&(to), sizeof(to), (void *)(skb) + packet.field)

/* What to read from the packet. Numbers that nft knows come by way of the
 * secmark, which the expressions before the program set: as they are, or in
 * network order.
 */
enum source { NO_SOURCE, CARRIED, CARRIED_BE, MARK, LENGTH, PRIORITY, IP_SADDR, IP_DADDR, IP6_SADDR, IP6_DADDR, ETHER_SADDR, ETHER_DADDR };

/* Types of keys, as package dict numbers them. */
enum key_type { KEY_CT_ID = 1, KEY_IPV4, KEY_IPV6, KEY_ADDRESS, KEY_ETHER, KEY_MARK, KEY_INT, KEY_STRING };

/* A value: a number of up to 64 bits and an IPv4 address in the first word, an
 * IPv6 address and a string's digest in both. type is 0 for no value.
 */
struct value {
	__u64 words[2];
	__u32 type;
	__u32 len;  /* of a string */
	__u64 head; /* of the element that it was read from */
};

/* A field of a table. type 0 takes any type, ADDRESS either family. */
struct ref {
	__u32 field;
	__u32 type;
	__u32 open;	    /* values of the field may be of any type */
	__u32 has_fallback; /* answers for a missing field or row */
	struct value fallback;
};

/* Where a key comes from: a source, or fields of up to NESTED rows, found
 * from the last to the first. type[i] is the type of the keys of the table that
 * the value of step i leads to; the source leads to the table of the last step.
 */
struct chain {
	__u32 source;
	__u32 steps;
	__u32 type[NESTED + 1];
	__u32 pad;
	struct ref step[NESTED];
};

struct key {
	__u64 words[KEY_MAX / 8];
};

#define TABLE(n)                                           \
	struct {                                           \
		__uint(type, BPF_MAP_TYPE_HASH);           \
		__uint(map_flags, BPF_F_NO_PREALLOC);      \
		__uint(max_entries, 1);                    \
		__uint(key_size, 4);                       \
		__uint(value_size, sizeof(struct row));    \
	} rows##n SEC(".maps");                            \
	struct {                                           \
		__uint(type, BPF_MAP_TYPE_HASH);           \
		__uint(map_flags, BPF_F_NO_PREALLOC);      \
		__uint(max_entries, 1);                    \
		__uint(key_size, 8);                       \
		__uint(value_size, sizeof(struct cell));   \
	} cells##n SEC(".maps");                           \
	struct {                                           \
		__uint(type, BPF_MAP_TYPE_HASH);           \
		__uint(map_flags, BPF_F_NO_PREALLOC);      \
		__uint(max_entries, 1);                    \
		__uint(key_size, 8);                       \
		__uint(value_size, sizeof(struct text));   \
	} strings##n SEC(".maps")

/* The rows that lead to the key, and those that lead to a value, whose own row
 * is the first of them.
 */
TABLE(1);
TABLE(2);
TABLE(3);
TABLE(4);
TABLE(5);

static __always_inline bool read_ether(struct __sk_buff *skb, __u32 at, struct value *v)
{
	__u16 network = 0, mac = 0;
	__u8 b[6];

	read_skb(network, skb, network_header);
	read_skb(mac, skb, mac_header);
	if (network < mac || network - mac < ETH_HLEN)
		return false;
	if (bpf_skb_load_bytes_relative(skb, at, b, sizeof(b), BPF_HDR_START_MAC))
		return false;
	v->words[0] = (__u64)b[0] << 40 | (__u64)b[1] << 32 | (__u64)b[2] << 24 |
		      (__u64)b[3] << 16 | (__u64)b[4] << 8 | b[5];
	v->type = ETHER;
	return true;
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, __u32 at, struct value *v)
{
	__u32 a;

	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes_relative(skb, at, &a, sizeof(a), BPF_HDR_START_NET))
		return false;
	v->words[0] = bpf_ntohl(a);
	v->type = IPV4;
	return true;
}

static __always_inline bool read_ipv6(struct __sk_buff *skb, __u32 at, struct value *v)
{
	__u64 a[2];

	if (skb->protocol != bpf_htons(ETH_P_IPV6) ||
	    bpf_skb_load_bytes_relative(skb, at, a, sizeof(a), BPF_HDR_START_NET))
		return false;
	v->words[0] = bpf_be64_to_cpu(a[0]);
	v->words[1] = bpf_be64_to_cpu(a[1]);
	v->type = IPV6;
	return true;
}

/* Reads a source; false if the packet has not what it asks for. */
static __always_inline bool read_source(struct __sk_buff *skb, __u32 source, struct value *v)
{
	__u32 n = 0;

	switch (source) {
	case IP_SADDR:
		return read_ipv4(skb, 12, v);
	case IP_DADDR:
		return read_ipv4(skb, 16, v);
	case IP6_SADDR:
		return read_ipv6(skb, 8, v);
	case IP6_DADDR:
		return read_ipv6(skb, 24, v);
	case ETHER_SADDR:
		return read_ether(skb, 6, v);
	case ETHER_DADDR:
		return read_ether(skb, 0, v);
	case CARRIED:
		read_skb(n, skb, secmark);
		break;
	case CARRIED_BE:
		read_skb(n, skb, secmark);
		n = bpf_ntohl(n);
		break;
	case MARK:
		n = skb->mark;
		break;
	case LENGTH:
		n = skb->len;
		break;
	case PRIORITY:
		n = skb->priority;
		break;
	}
	v->words[0] = n;
	v->type = INT64;
	return true;
}

/* Makes a key of a value; false if it cannot be one. */
static __always_inline bool make_key(struct key *k, __u32 type, const struct value *v)
{
	k->words[0] = 0;
	k->words[1] = 0;
	k->words[2] = 0;
	switch (type) {
	case KEY_ADDRESS:
		if (v->type == IPV4) {
			k->words[0] = 4;
			k->words[2] = v->words[0];
			return true;
		}
		k->words[0] = 6;
		k->words[1] = v->words[0];
		k->words[2] = v->words[1];
		return v->type == IPV6;
	case KEY_IPV6:
		k->words[0] = v->words[0];
		k->words[1] = v->words[1];
		return v->type == IPV6;
	case KEY_STRING:
		k->words[0] = v->words[0];
		k->words[1] = v->words[1];
		return v->type == STRING && v->len;
	case KEY_ETHER:
		k->words[0] = v->words[0];
		return v->type == ETHER;
	case KEY_IPV4:
		k->words[0] = v->words[0];
		return v->type == IPV4;
	default:
		k->words[0] = v->words[0];
		return (v->type == INT || v->type == INT64) && v->words[0] >> 32 == 0;
	}
}

enum found { MISSING, OTHER_TYPE, FOUND };

static __always_inline bool is_wanted(__u32 type, __u32 want)
{
	return !want || type == want || (want == ADDRESS && (type == IPV4 || type == IPV6));
}

/* Reads a field of the row of this generation. The kernel reuses elements at
 * once: what was read counts only if the head stayed. If elem is not NULL it
 * gets the string's element, for which the same holds.
 */
static __always_inline enum found read_field(void *cells, void *strings, __u64 generation,
					     const volatile struct ref *ref, struct value *v, struct text **elem)
{
	__u64 tag = generation | ref->field;
	struct cell *c;
	struct text *t;
	__u64 head;

	for (int i = 0; i < TRIES; i++) {
		if (ref->type != STRING) {
			c = bpf_map_lookup_elem(cells, &tag);
			if (c) {
				head = READ(c->head);
				v->words[0] = READ(c->data[0]);
				v->words[1] = READ(c->data[1]);
				barrier();
				if (tag_of(head) != tag || READ(c->head) != head)
					continue;
				v->head = head;
				v->type = head >> TYPE_SHIFT & 0xff;
				return is_wanted(v->type, ref->type) ? FOUND : OTHER_TYPE;
			}
			if (!ref->open)
				return MISSING;
		}
		t = bpf_map_lookup_elem(strings, &tag);
		if (!t)
			break;
		head = READ(t->head);
		v->words[0] = READ(t->digest[0]);
		v->words[1] = READ(t->digest[1]);
		v->len = READ(t->len);
		if (elem)
			*elem = t;
		barrier();
		if (tag_of(head) != tag || READ(t->head) != head)
			continue;
		v->head = head;
		v->type = STRING;
		return is_wanted(STRING, ref->type) ? FOUND : OTHER_TYPE;
	}
	if (ref->type == STRING && ref->open && bpf_map_lookup_elem(cells, &tag))
		return OTHER_TYPE;
	return MISSING;
}

/* The generation of the row with this key, 0 if there is none alive, or none
 * that has the field.
 */
static __always_inline __u64 find_row(void *rows, const struct key *k, __u32 field)
{
	struct row *r = bpf_map_lookup_elem(rows, k);
	__u64 word, generation, fields;

	if (!r)
		return 0;
	word = READ(r->word);
	if (!is_alive(word))
		return 0;
	generation = generation_of(word);
	fields = READ(r->fields[field >> 6 & 3]);
	barrier();
	/* Another generation: the element was reused, and the bits are another's. */
	if (!(fields >> (field & 63) & 1) && generation_of(READ(r->word)) == generation)
		return 0;
	return generation;
}

/* Looks a field up, in row and defaults; false if it has no value. */
static __always_inline bool look_up(void *rows, void *cells, void *strings, const struct key *k,
				    const volatile struct ref *ref, struct value *v, struct text **elem)
{
	__u64 generation = find_row(rows, k, ref->field);
	enum found found = MISSING;

	if (generation)
		found = read_field(cells, strings, generation, ref, v, elem);
	if (found != MISSING)
		return found == FOUND;
	if (!ref->has_fallback)
		return false;
	v->words[0] = ref->fallback.words[0];
	v->words[1] = ref->fallback.words[1];
	v->type = ref->fallback.type;
	v->len = ref->fallback.len;
	if (elem)
		*elem = NULL;
	return true;
}

/* Finds the key of a chain whose steps lead through the tables a and b, a
 * first behind the key. elem gets the string that the key was made of.
 */
#define find_key(skb, chain, a, b, k, v, elem)                                                           \
	({                                                                                               \
		bool ok = read_source(skb, (chain).source, (v)) && make_key((k), (chain).type[(chain).steps], (v)); \
		if (ok && (chain).steps > 1)                                                             \
			ok = look_up(&rows##b, &cells##b, &strings##b, (k), &(chain).step[1], (v), (elem)) && \
			     make_key((k), (chain).type[1], (v));                                        \
		if (ok && (chain).steps > 0)                                                             \
			ok = look_up(&rows##a, &cells##a, &strings##a, (k), &(chain).step[0], (v), (elem)) && \
			     make_key((k), (chain).type[0], (v));                                        \
		ok;                                                                                      \
	})

#endif
