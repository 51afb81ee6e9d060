// SPDX-License-Identifier: MIT

package front

import (
	"fmt"
	"slices"

	"nftdict/dict"
	"nftdict/nftext/jsondoc"
)

var errConstant = fmt.Errorf("%w: nft takes a constant here; compare in a match, or write a value to: meta mark, ct mark, "+
	"meta priority, an address, a port, a NAT, tproxy, dup or fwd address, an element of a set", dict.ErrNotSupported)

// beginUse returns the use of what stands in the body of a statement. Of numbers
// nft writes those bytes that the register begins with, whatever their width: so
// a value may be written only where the width is known.
func beginUse(body *jsondoc.Node) Use {
	switch body.Key {
	case "match", "vmap":
		return UseCompared
	case "set", "map", "meter":
		return UseElement
	case "dnat", "snat", "tproxy", "dup", "fwd", "redirect", "masquerade":
		return UseAddress
	case "mangle":
		return written(body.Member("key"))
	}
	return useConstant
}

// written returns the use of what a mangle statement writes to key.
func written(key *jsondoc.Node) Use {
	text := func(expr, member string) string {
		if key == nil || key.Only(expr) == nil || key.Only(expr).Member(member) == nil {
			return ""
		}
		t, _ := key.Only(expr).Member(member).Text()
		return t
	}
	switch field := text("payload", "field"); {
	case text("meta", "key") == "mark", text("meta", "key") == "priority", text("ct", "key") == "mark":
		return UseNumber
	case (field == "saddr" || field == "daddr") && text("payload", "protocol") == "ether", field == "saddr ether", field == "daddr ether":
		return UseLink
	case field == "saddr", field == "daddr":
		return UseAddress
	case slices.Contains([]string{"sport", "dport", "window", "urgptr"}, field),
		field == "id" && text("payload", "protocol") == "ip",
		text("tcp option", "name") == "maxseg" && text("tcp option", "field") == "size":
		return UsePort
	}
	return useConstant
}

// within returns the use of child i of n, of which nft makes the use u.
func (u Use) within(n *jsondoc.Node, i int) Use {
	child := &n.Children[i]
	if n.Kind == jsondoc.Array {
		if u == UseCompared && i > 0 { // parts of a concatenation, and what is computed with
			return UseComputed
		}
		return u
	}
	switch child.Key {
	case "right", "data", "flags", "stmt", "timeout", "expires", "comment":
		if u != UseElement || child.Key != "data" {
			return useConstant
		}
	case "set":
		if child.Kind == jsondoc.Array { // constants in braces
			return useConstant
		}
	case "key":
		if n.Key == "mangle" {
			return useConstant
		}
		if data := n.Member("data"); n.Key == "map" && u == UseComputed && data != nil && data.Only("set") != nil && child.Only("concat") != nil {
			return UseListed
		}
	case "dev":
		return useConstant
	case "port":
		if u == UseAddress {
			return UsePort
		}
	case "|", "&", "^", "<<", ">>":
		return UseBits
	case "map", "concat", "jhash":
		if u != UseCompared && u != UseListed {
			return UseComputed
		}
	}
	return u
}
