// SPDX-License-Identifier: MIT

package nftext

import "strconv"

// FamilyWord returns NFPROTO_* f (linux/netfilter.h) as nft names the family of a
// table, "family 4" for one that it does not know.
func FamilyWord(f uint8) string {
	switch f {
	case 1:
		return "inet"
	case 2:
		return "ip"
	case 3:
		return "arp"
	case 5:
		return "netdev"
	case 7:
		return "bridge"
	case 10:
		return "ip6"
	}
	return "family " + strconv.Itoa(int(f))
}
