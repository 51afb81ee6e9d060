// SPDX-License-Identifier: MIT

// Package clitest runs scripts of dictctl command lines (testdata/*.txtar in
// package cli) against any dictctl: the library on a store in memory, or the
// program on this kernel.
//
// Beside the commands of testscript, a script has
//
//	dictctl WORD...   runs it; with ! before, it must fail
//	status N          the exit status of the last dictctl was N
//	input FILE        is the standard input of the next dictctl
//
// It knows no backend: scripts hold only what is the same on all.
package clitest
