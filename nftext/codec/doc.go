// SPDX-License-Identifier: MIT

// Package codec joins the language of package nftext to the front end that
// runs nft: a front.Codec on top of a schema and a backend's compiler.
//
// It holds no state and decides nothing: grammar and checks are nftext's,
// expressions the compiler's.
package codec
