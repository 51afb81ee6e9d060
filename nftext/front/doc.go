// SPDX-License-Identifier: MIT

// Package front runs the installed nft binary with `dict` terms in its
// language. It holds no grammar of nft and none of dict: nft parses, plans and
// prints everything else, and a [Codec] says what a dict term is.
//
// In the text nft reads, each term becomes a placeholder that nft accepts; in
// the netlink batches it sends, the placeholder's expressions become the
// codec's; in the dumps, echoes and notifications it receives, those become the
// placeholder again; in what it prints, the placeholder becomes the term. So the
// transaction, handles, echo and error columns are nft's own. The translations
// are pure functions on bytes (text.go, batch.go, reply.go, listing.go,
// report.go). Under -j the placeholders are objects in nft's documents, of which no
// other byte changes (jsonhide.go, jsonreveal.go). Where nft is to work with a
// term's value, an expression of its own of the same type and width carries it, and
// a placeholder before the statement says which term that is (carrier.go). Interception is a seccomp user-notification listener
// (sandbox.go, supervisor.go) on the one thread that forks nft; a system call
// that carries no term is let through untouched.
//
// It refuses to load anything when a term cannot be translated: the kernel is
// handed an expression it must reject in the term's place, so the message that
// nft prints stands at the term, and the batch fails as a whole. It refuses to
// send a placeholder, to print one (but in the raw bytes of -d mnl), and to hide a
// dict rule; and to let nft -o merge rules that hold terms. It refuses to run where the kernel cannot intercept
// ([dict.ErrNotSupported], and what is needed).
package front
