// SPDX-License-Identifier: MIT

// Package rule builds nft rules in Go: a Rule is a list of Statements, the
// conditions and actions of the nft language with dict terms among them, and a
// Batch puts rules, sets, chains and tables into the kernel in one transaction,
// on the types of github.com/google/nftables.
//
//	b := rule.NewBatch(rule.Options{Schema: store, Compiler: compiler})
//	b.Add(forward, rule.New(
//		rule.TCPDport().Is(443),
//		rule.Dict(`dict sessions ct id application "NETFLIX"`),
//		rule.Reject(rule.TCPReset),
//	))
//	err := b.Commit()
//
// A statement prints as nft writes it, and what a rule needs besides (the
// family and protocol that a header belongs to, anonymous sets) is added as nft
// adds it: stock nft lists the rule as if it had loaded it. List reads the
// rules of a chain back as text.
//
// It refuses, before anything is sent and by the name of the statement, what
// cannot work where it stands: dnat outside of nat chains, statements behind a
// verdict, protocols that contradict each other. What only the kernel knows it
// says when the batch is committed, with the statement that it refused; then
// nothing has changed. It refuses to parse text, which nftext/front leaves to
// nft.
package rule
