// SPDX-License-Identifier: MIT

// Package cli is the program dictctl as a library: the commands, their text
// and JSON output, their completions and their exit statuses.
//
// An App is handed all that it touches: the three streams, how to open a
// store, how to reach the daemon, what probes the kernel. Tests run it on a
// store in memory; cmd/dictctl gives it the real ones.
//
// What a command was asked for goes to standard output, everything else to
// standard error. The exit status is 0 for done, 1 for failed, 2 for a command
// line that was not understood, 130 for interrupted; `dictctl nft` exits as nft
// does.
//
// It refuses to guess: a word it does not know, a value that fits no type, an
// option that would be without effect are usage errors, and a file is applied
// only when all of it was understood. It keeps no state and writes no files
// but those it is told to (man).
package cli
