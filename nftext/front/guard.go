// SPDX-License-Identifier: MIT

package front

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// guardText is a second comment of every rule with a term. Where nft alone
// lists such a rule it may print nothing in place of the term, and what it saved
// would load as a rule that holds for every packet. Of two comments nft prints
// the last, as it is: the quote in this one makes a file that holds it an error
// of syntax, so that nothing of it loads.
const guardText = `" only dictctl nft can show and save this rule`

// guard returns the guard as the user data of a rule has it.
func guard() []byte {
	const comment = 0
	return append(append([]byte{comment, byte(len(guardText) + 1)}, guardText...), 0)
}

// guarded returns a rule's user data with the guard behind it. Data that leaves
// no room for it, which nft's own comments do, stays alone.
func guarded(data []byte) []byte {
	g := guard()
	if len(data)+len(g) > unix.NFT_USERDATA_MAXLEN {
		return data
	}
	return append(bytes.Clone(data), g...)
}

// unguarded returns a rule's user data without the guard.
func unguarded(data []byte) []byte { return bytes.TrimSuffix(data, guard()) }
