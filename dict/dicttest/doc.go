// SPDX-License-Identifier: MIT

// Package dicttest says what a dict.Store is: Run is the conformance suite
// that every store passes, and Mem is the reference store, plain enough to be
// read as the specification.
//
// The suite speaks only to the interfaces of package dict. What it cannot know
// about a store it is told by options: how time passes, how another process
// opens the same store, what makes a table busy. It knows no backend by name.
//
// It refuses to be content with an error as such: each must wrap the sentinel,
// name table, key and field, and have changed nothing.
package dicttest
