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
// The package refuses what would be guessed at: a value of another type, a
// name it does not know, a string over the limit (never truncated), a row for
// a full table. A refused call has changed nothing. It imports nothing but the
// standard library and speaks to no kernel.
//
// # Text
//
// Values print as nft writes them and what prints parses. The text form is what
// listings print and files hold: one statement a line, in nft's words.
//
//	add table users { key string; limit 65536; timeout 5m; field usergroups long_string alias user_group; field quota_exceeded bool default false; }
//	add table free { key string; limit 100; open; field f; }
//	add field users quota_size int64 default 0
//	set sessions 5 application "NETFLIX" client_port 443 ttl 10s
//	set free "al" f int 5 g long_string "x"
//	add users "al" quota_remaining 1000000 quota_size -5
//	delete sessions 5 application client_port
//	delete sessions 5
//	flush users
//	delete table users
//
// Between the braces of a table a new line is as good as a semicolon, and
// elsewhere a semicolon as good as a new line. A backslash at the end of a line,
// after a blank, goes on with the next. A comment begins with # and a blank (or
// the line's begin) before it.
//
// The type of a value may stand before it, and must where the table is open. A
// bare word that is a type's is therefore a type: text of that kind wants
// quotes. A quoted word is text and never a word of the language, so fields and
// tables that bear such names are quoted too.
//
// # JSON
//
// A row is {"key":5,"ttl":60,"cells":{"application":"NETFLIX"}}, with ttl in
// seconds. Values and keys are plain where the schema tells their type, and
// {"type":"int","value":5} where nothing does. Numbers are whole and exact.
package dict
