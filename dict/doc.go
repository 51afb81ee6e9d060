// SPDX-License-Identifier: MIT

// Package dict holds the nouns of the project: tables of key -> field ->
// value that live in the kernel and that nft rules look up.
//
// A Table is a schema: a name, the type of its keys, its fields with their
// types and defaults, a limit of rows, a timeout of rows, and whether rows die
// with their conntrack entry. A Row is a key with the cells written under it.
// A Store keeps tables and rows; the module, the eBPF maps and Mem (in
// dict/dicttest) are stores, and all of them pass the same conformance suite.
//
// Values print as nft writes them and what prints parses.
//
// The package refuses what would be guessed at: a value of another type, a
// name it does not know, a string over the limit (never truncated), a row for
// a full table. A refused call has changed nothing. It imports nothing but the
// standard library and speaks to no kernel.
package dict
