// SPDX-License-Identifier: MIT

// Package conntrack tells what connections the kernel tracks: a stream of the
// ones that begin and end (Listener), a dump of all, and a lookup of one
// (Client).
//
// The stream can be drained: Listener.Drain returns when every event that the
// kernel sent before the call has been handled. The kernel announces the end of
// a connection before it gives the memory, and so the id, of its entry to
// another; whoever holds the first packet of an entry and drains therefore
// knows all that happened to the earlier owners of its id. This is why the
// package reads the socket itself: the conntrack libraries hand events over
// through channels of goroutines, where this order is lost.
//
// Where conntrack counts (net.netfilter.nf_conntrack_acct, for entries born after
// it was switched on) dumps, lookups and Destroy events carry the counters of both
// directions, and where it notes times (nf_conntrack_timestamp) when the entry was
// confirmed.
//
// It refuses to guess after a loss: an overrun is counted and reported, and the
// caller has to dump. It changes nothing in
// the kernel but these two switches, when asked (Account).
package conntrack
