// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"nftdict/nftext"
)

// class is the set of bytes that a token matches.
type class = [4]uint64

// encodeGlob returns a glob's tokens, two bytes each in the machine's order,
// and the classes that they refer to, 32 bytes each.
func encodeGlob(g *nftext.Glob) (tokens, classes []byte) {
	var known []class
	for _, t := range g.Tokens() {
		tokens = binary.NativeEndian.AppendUint16(tokens, encodeToken(t, &known))
	}
	for _, c := range known {
		for _, word := range c {
			classes = binary.LittleEndian.AppendUint64(classes, word)
		}
	}
	return tokens, classes
}

// encodeToken returns one token; a class that is not known yet is added.
func encodeToken(t nftext.Token, known *[]class) uint16 {
	if t.Star {
		return tokenStar
	}
	count, last := 0, 0
	for i, word := range t.Class {
		if word != 0 {
			count += bits.OnesCount64(word)
			last = i*64 + bits.TrailingZeros64(word)
		}
	}
	switch count {
	case 1:
		return uint16(last)
	case 256:
		return tokenAny
	}
	i := slices.Index(*known, t.Class)
	if i < 0 {
		i = len(*known)
		*known = append(*known, t.Class)
	}
	return uint16(tokenClass + i)
}
