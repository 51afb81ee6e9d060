// SPDX-License-Identifier: MIT

// Package test tests the kernel module from outside, in a kernel that has it:
// the text interface below /proc/net/dict, the forms of the expression `dict`
// that no compiler makes, counting while others write, flowtables in software and
// in a card without hardware (fakenic), and what a rule costs in instructions.
//
// It refuses what other suites test: that the module is a dict.Store and that
// terms of rules mean there what they mean everywhere is package genl's.
package test
