// SPDX-License-Identifier: MIT

package nftext

import "strings"

// preceding is what stands in a rule before a word: its last tokens, the last
// one first. The zero preceding is the beginning, or the end of a statement.
type preceding [5]token

func (p *preceding) push(t token) {
	copy(p[1:], p[:len(p)-1])
	p[0] = t
}

// is reports whether the last token is the word.
func (p *preceding) is(word string) bool { return p[0].is(word) }

// complete reports whether a new match or statement may begin: what stands
// before does not wait for a value.
func (p *preceding) complete() bool {
	switch last := p[0]; last.kind {
	case tokenEnd, tokenString, tokenClose:
		return true
	case tokenSymbol:
		return last.text == ")"
	case tokenWord:
		if (last.is("add") || last.is("update")) && (p[1].is("set") || p[1].is("map")) { // set add EXPRESSION @s
			return false
		}
		return !p.longer() && (!waits(last.text) || p.assigned())
	}
	return false
}

// longer reports whether the last tokens are an expression whose last word
// alone does not show that a value follows.
func (p *preceding) longer() bool {
	switch {
	case p[2].is("cgroupv2") && p[1].is("level"): // socket cgroupv2 level 1
		return true
	case p[2].is("arp"): // arp saddr ip
		return p[1].is("saddr") || p[1].is("daddr")
	}
	return p[1].text == "," && p[3].text == "," && strings.HasPrefix(p[4].text, "@") // @th,0,16
}

// assigned reports whether the last words are an expression that a statement
// assigns (meta mark set ct mark) or the end of a list (ct event set new,mark or
// new or mark; log flags skuid) or a flag of a NAT (masquerade random), so that no
// value follows.
func (p *preceding) assigned() bool {
	if p[0].is("random") {
		return !p[1].is("meta")
	}
	if p[1].is("set") || p[1].is("flags") || p[1].is("or") || p[1].text == "," {
		return !operator(p[0].text)
	}
	if !p[2].is("set") {
		return false
	}
	switch p[1].text {
	case "ct", "meta", "rt", "socket", "ip", "ip6", "ether", "vlan", "arp", "tcp", "udp", "th":
		return true
	}
	return false
}

// waits reports whether a word of nft asks for what follows: an operator, the
// end of an expression that a value is compared with, a key that names
// something. It holds those whose value can be a bare word.
func waits(word string) bool {
	if operator(word) {
		return true
	}
	switch word {
	// expressions
	case "iif", "oif", "iifname", "oifname", "iiftype", "oiftype", "iifgroup", "oifgroup", "iifkind", "oifkind",
		"ibrname", "obrname", "ibriport", "obriport", "ibridgename", "obridgename", "ibrpvid", "ibrvproto", "sdif", "sdifname",
		"saddr", "daddr", "sport", "dport", "protocol", "nexthdr", "l4proto", "l3proto", "nfproto", "pkttype",
		"version", "skuid", "skgid", "mark", "priority", "rtclassid", "classid", "cgroup", "cgroupv2", "cpu", "day", "hour", "time",
		"type", "code", "state", "status", "direction", "helper", "label", "zone", "id", "event", "secmark",
		"proto-src", "proto-dst", "dscp", "ecn", "flags", "length", "ttl", "hoplimit", "operation", "htype", "ptype",
		"nexthop", "mtu", "spi", "reqid", "cfi", "dei", "pcp", "vni", "nftrace", "random", "exthdr", "option":
		return true
	// parameters
	case "jump", "goto", "name", "device", "prefix", "group", "level", "num", "rate", "burst", "over", "until",
		"mod", "seed", "offset", "timeout", "expires", "expectation", "target", "match", "comment",
		"handle", "position", "index", "meter", "map", "vmap", "with":
		return true
	}
	return false
}

// operator reports whether a word stands between two expressions, or before
// one.
func operator(word string) bool {
	switch word {
	case "set", "to", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor", "lshift", "rshift", "not", "vmap", "map",
		".", ":", "-", "/", "*", "+", "@", "$":
		return true
	}
	return false
}
