// SPDX-License-Identifier: MIT

package cli

import (
	"regexp"
	"strings"
)

// natStatement finds a statement that the kernel takes in nat chains only.
var natStatement = regexp.MustCompile(`\b(dnat|redirect|snat|masquerade)\b`)

// dictTerm finds what seems to be a dict term.
var dictTerm = regexp.MustCompile(`\bdict [a-zA-Z_]`)

// nftRemedy returns what helps against a message of nft about a rule with a dict
// term, "" if nothing is known. On other rules nft has the only word.
func nftRemedy(said string) string {
	_, rest, found := strings.Cut(said, "Could not process rule: Operation not supported")
	if !found {
		return ""
	}
	// The line at fault follows the message.
	for line := range strings.Lines(rest) {
		if !dictTerm.MatchString(line) {
			continue
		}
		switch natStatement.FindString(line) {
		case "dnat", "redirect":
			return "dnat and redirect belong in a nat chain at prerouting (or output): { type nat hook prerouting priority dstnat; }"
		case "snat", "masquerade":
			return "snat and masquerade belong in a nat chain at postrouting (or input): { type nat hook postrouting priority srcnat; }"
		}
		return "dict terms stand in chains from prerouting to postrouting, not at ingress or egress; if this is one, see what the kernel lacks: dictctl doctor"
	}
	return ""
}
