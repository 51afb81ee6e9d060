// SPDX-License-Identifier: GPL-2.0-only
/* A packet that a rule matches goes out at once, past whatever the stack has. */
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_netdev.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "fakenic.h"

/*
 * fakenic_dissect() fills the key of a packet, and returns the length of its
 * headers, or 0 where it is for the stack: fragments, options, packets at the end
 * of their way, and those that begin or end a connection.
 */
static unsigned int fakenic_dissect(struct fakenic_key *key, struct sk_buff *skb)
{
	unsigned int thoff, len;
	const __be16 *ports;

	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *iph;

		thoff = sizeof(*iph);
		if (!pskb_may_pull(skb, thoff + sizeof(struct udphdr)))
			return 0;
		iph = (const struct iphdr *)skb->data;
		if (iph->version != 4 || iph->ihl != 5 || ip_is_fragment(iph) || iph->ttl <= 1)
			return 0;
		key->l4proto = iph->protocol;
		key->src.s6_addr32[0] = iph->saddr;
		key->dst.s6_addr32[0] = iph->daddr;
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip6h;

		thoff = sizeof(*ip6h);
		if (!pskb_may_pull(skb, thoff + sizeof(struct udphdr)))
			return 0;
		ip6h = (const struct ipv6hdr *)skb->data;
		if (ip6h->version != 6 || ip6h->hop_limit <= 1)
			return 0;
		key->l4proto = ip6h->nexthdr;
		key->src = ip6h->saddr;
		key->dst = ip6h->daddr;
	} else {
		return 0;
	}
	len = thoff;
	if (key->l4proto == IPPROTO_TCP) {
		const struct tcphdr *th;

		len += sizeof(*th);
		if (!pskb_may_pull(skb, len))
			return 0;
		th = (const struct tcphdr *)(skb->data + thoff);
		if (th->fin || th->rst || th->syn)
			return 0;
	} else if (key->l4proto == IPPROTO_UDP) {
		len += sizeof(struct udphdr);
	} else {
		return 0;
	}
	ports = (const __be16 *)(skb->data + thoff);
	key->sport = ports[0];
	key->dport = ports[1];
	key->protocol = skb->protocol;
	if (skb_vlan_tag_present(skb)) {
		key->tpid = skb->vlan_proto;
		key->vid = skb_vlan_tag_get_id(skb);
	}
	return len;
}

static bool fakenic_fits(const struct sk_buff *skb, const struct net_device *out)
{
	if (skb->len <= out->mtu)
		return true;
	return skb_is_gso(skb) && skb_gso_validate_network_len(skb, out->mtu);
}

/* fakenic_checksum() returns where the checksum above IP is, or NULL for none. */
static __sum16 *fakenic_checksum(struct sk_buff *skb, const struct fakenic_key *key,
				 unsigned int thoff)
{
	struct udphdr *uh = (struct udphdr *)(skb->data + thoff);

	if (key->l4proto == IPPROTO_TCP)
		return &((struct tcphdr *)uh)->check;
	if (!uh->check && skb->ip_summed != CHECKSUM_PARTIAL)
		return NULL;
	return &uh->check;
}

/* fakenic_rewrite() changes what is above the link's header. */
static void fakenic_rewrite(struct sk_buff *skb, const struct fakenic_rule *rule)
{
	bool v4 = rule->key.protocol == htons(ETH_P_IP);
	unsigned int thoff = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__sum16 *check = fakenic_checksum(skb, &rule->key, thoff);
	unsigned int i;

	for (i = 0; i < rule->mangles; i++) {
		const struct fakenic_mangle *m = &rule->mangle[i];
		bool ip = m->htype == FLOW_ACT_MANGLE_HDR_TYPE_IP4 ||
			  m->htype == FLOW_ACT_MANGLE_HDR_TYPE_IP6;
		__be32 *at, old;

		if (m->htype == FLOW_ACT_MANGLE_HDR_TYPE_ETH)
			continue;
		at = (__be32 *)(skb->data + (ip ? 0 : thoff) + m->offset);
		old = *at;
		*at = (old & (__force __be32)m->mask) | (__force __be32)m->val;
		if (ip && v4)
			csum_replace4(&((struct iphdr *)skb->data)->check, old, *at);
		if (check)
			inet_proto_csum_replace4(check, skb, old, *at, ip);
	}
	if (check && !*check && rule->key.l4proto == IPPROTO_UDP)
		*check = CSUM_MANGLED_0;
	if (v4)
		ip_decrease_ttl((struct iphdr *)skb->data);
	else
		((struct ipv6hdr *)skb->data)->hop_limit--;
}

/* fakenic_frame() gives a packet its link's header, and the tag of the way out. */
static void fakenic_frame(struct sk_buff *skb, const struct fakenic_rule *rule)
{
	unsigned int i;

	if (rule->pop)
		__vlan_hwaccel_clear_tag(skb);
	if (rule->push)
		__vlan_hwaccel_put_tag(skb, rule->push_tpid, rule->push_vid);
	skb_push(skb, ETH_HLEN);
	skb_reset_mac_header(skb);
	for (i = 0; i < rule->mangles; i++) {
		const struct fakenic_mangle *m = &rule->mangle[i];
		u32 *at = (u32 *)(skb->data + m->offset);

		if (m->htype == FLOW_ACT_MANGLE_HDR_TYPE_ETH && m->offset + 4 <= ETH_HLEN)
			put_unaligned((get_unaligned(at) & m->mask) | m->val, at);
	}
	eth_hdr(skb)->h_proto = skb->protocol;
}

/* fakenic_forward() is the hook at a device's way in, before all others. */
unsigned int fakenic_forward(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct fakenic_bind *bind = priv;
	struct fakenic_net *fn = fakenic_pernet(bind->net);
	struct fakenic_key key = {};
	struct fakenic_rule *rule;
	struct net_device *out;
	unsigned int headers, len = skb->len;

	if (READ_ONCE(fn->idle) || skb->pkt_type != PACKET_HOST)
		return NF_ACCEPT;
	headers = fakenic_dissect(&key, skb);
	if (!headers)
		return NF_ACCEPT;
	rule = fakenic_find(bind, &key);
	if (!rule)
		return NF_ACCEPT;
	out = dev_get_by_index_rcu(bind->net, rule->out);
	if (!out || !fakenic_fits(skb, out) || skb_ensure_writable(skb, headers) ||
	    skb_cow_head(skb, LL_RESERVED_SPACE(out))) {
		atomic64_inc(&fn->left);
		return NF_ACCEPT;
	}
	fakenic_rewrite(skb, rule);
	fakenic_frame(skb, rule);
	atomic64_inc(&rule->packets);
	atomic64_add(len, &rule->bytes);
	atomic64_inc(&fn->packets);
	atomic64_add(len, &fn->bytes);
	WRITE_ONCE(rule->used, jiffies);
	skb_forward_csum(skb);
	skb_clear_tstamp(skb);
	skb_dst_drop(skb);
	skb->dev = out;
	/* Past queues and hooks of the way out, too. */
	dev_direct_xmit(skb, 0);
	return NF_STOLEN;
}
