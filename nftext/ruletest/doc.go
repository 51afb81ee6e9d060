// SPDX-License-Identifier: MIT

// Package ruletest is the conformance suite of rule compilers, as data:
// tables, rows, packets and rules, and what each rule must answer. A runner
// loads the rules through a backend, sends the packets through them and
// compares; Check compares the same data with the reference, nftext.Eval.
//
// Every operator stands beside every type, every selector beside every type of
// key. It knows no backend, and refuses to be bent to one: what a backend
// cannot do it must say with dict.ErrNotSupported when it compiles the rule.
package ruletest
