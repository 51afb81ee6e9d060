// SPDX-License-Identifier: MIT

package nftext

// Bounds of one term. They keep a term's canonical text within what a rule can
// carry on every backend, and its cost in the packet's way small.
const (
	MaxText   = 480 // bytes of canonical text
	MaxDepth  = 3   // lookups chained by their keys: dict A dict B dict C KEY
	MaxItems  = 32  // values of a set
	MaxTokens = 128 // positions of a glob, stars included
)

// maxSource bounds how far Parse reads for one term: canonical text is never
// much shorter than what was written, but for spaces and comments.
const maxSource = 4096
