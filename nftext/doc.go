// SPDX-License-Identifier: MIT

// Package nftext is the language that this project adds to nft: conditions and
// statements on dictionaries, and what it takes to compile them.
//
//	dict [TABLE] KEY FIELD [TYPE] [OP] VALUE      a match
//	dict TABLE KEY FIELD [TYPE] set|add|sub VALUE a statement
//	dict TABLE KEY flush                          a statement
//	dict [TABLE] KEY FIELD [TYPE]                 a value, where nft takes an expression
//
// A Finder tells where terms stand in the texts of a run of nft, and knows the
// variables that these define. Text becomes a Term (Parse), which prints as it was written with spaces and quotes
// in canonical form; so does an object of nft's JSON (ParseJSON, JSON).
// docs/rules.md has all of the language. A Term and the schema
// of the tables become a Bound term (Bind): names resolved, values typed, the
// whole checked. A backend's Compiler turns a Bound term into nft expressions
// and finds it again in a dumped rule. Eval says what a Bound condition answers
// for given rows, Apply what a statement does: they are the reference that every
// backend is compared with, on the data of nftext/ruletest. nftext/codec joins
// all this to nftext/front, which runs nft; nftext/rule builds whole rules in Go.
//
// The package is pure: it speaks to no kernel and runs no program (nftext/front
// and nftext/rule do). It refuses what it does not know by name, and leaves the rest of a
// rule to nft.
package nftext
