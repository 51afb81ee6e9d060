// SPDX-License-Identifier: MIT

package cli

import (
	"regexp"
	"strings"
)

// natStatement finds a statement that the kernel takes in nat chains only.
var natStatement = regexp.MustCompile(`\b(dnat|redirect|snat|masquerade)\b`)

// ctKey finds a key or value of a dict term that is the connection's.
var ctKey = regexp.MustCompile(`\bdict\b.*\bct (id|mark)\b`)

// dictTerm finds what seems to be a dict term.
var dictTerm = regexp.MustCompile(`\bdict [a-zA-Z_]`)

// nftRemedy returns what helps against a message of nft about a rule with a dict
// term, "" if nothing is known. On other rules nft has the only word.
func nftRemedy(said string) string {
	if line := atFault(said, "Operation not supported"); line != "" {
		switch natStatement.FindString(line) {
		case "dnat", "redirect":
			return "dnat and redirect belong in a nat chain at prerouting (or output): { type nat hook prerouting priority dstnat; }"
		case "snat", "masquerade":
			return "snat and masquerade belong in a nat chain at postrouting (or input): { type nat hook postrouting priority srcnat; }"
		}
		return "dict terms stand in chains from prerouting to postrouting, not at ingress or egress; if this is one, see what the kernel lacks: dictctl doctor"
	}
	if line := atFault(said, "Protocol error"); ctKey.MatchString(line) {
		return "ct id and ct mark in tables of the family bridge are of the kernel's connection tracking for bridges: modprobe nf_conntrack_bridge"
	}
	return ""
}

// atFault returns the line with a dict term that the kernel blames for an error, ""
// if there is none.
func atFault(said, reason string) string {
	_, rest, _ := strings.Cut(said, "Could not process rule: "+reason)
	for line := range strings.Lines(rest) { // it follows the message
		if dictTerm.MatchString(line) {
			return line
		}
	}
	return ""
}
