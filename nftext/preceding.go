// SPDX-License-Identifier: MIT

package nftext

// preceding is what stands in a rule before a word: its last three tokens, the
// last one first. The zero preceding is the beginning, or the end of a statement.
type preceding [3]token

func (c *preceding) push(t token) { c[0], c[1], c[2] = t, c[0], c[1] }

// is reports whether the last token is the word.
func (c *preceding) is(word string) bool { return c[0].is(word) }

// complete reports whether a new match or statement may begin: what stands
// before does not wait for a value.
func (c *preceding) complete() bool {
	switch last := c[0]; last.kind {
	case tokenEnd, tokenString, tokenClose:
		return true
	case tokenSymbol:
		return last.text == ")"
	case tokenWord:
		return !waits(last.text) || c.assigned()
	}
	return false
}

// assigned reports whether the last words are an expression that a statement
// assigns (meta mark set ct mark), so that no value follows.
func (c *preceding) assigned() bool {
	if c[1].is("set") {
		return !operator(c[0].text)
	}
	if !c[2].is("set") {
		return false
	}
	switch c[1].text {
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
		"skuid", "skgid", "mark", "priority", "rtclassid", "classid", "cgroup", "cgroupv2", "cpu", "day", "hour", "time",
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
