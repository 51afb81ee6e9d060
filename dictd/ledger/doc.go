// SPDX-License-Identifier: MIT

// Package ledger writes down what connections have moved: bytes and packets of
// both directions, by the address inside, its device and user, and the application,
// for every hour and day.
//
// # Where the figures come from
//
// Conntrack counts each connection. A round dumps it and bills what each has moved
// since the round before; the event of an end has the last figures. A connection is
// its id, zone, original tuple, and when it began, so that one that comes after it
// under the same id and tuple is another. What is billed of each living connection
// is kept, and only what its counters are beyond that is billed next; so nothing is
// billed twice:
//
//   - A dump that is older than an end: entries that ended while the dump was read,
//     or are about to (their status says so), are not taken from it.
//   - The event of an end was lost: what a connection had moved by the last round is
//     its total, and the record says that it is an estimate. Whether it has ended is
//     asked of the kernel, and the events are read to their end before that is
//     believed. It stays known for a minute: where the socket was full, the kernel
//     tells later, and then the rest is billed.
//   - A restart: totals, and what they have of each living connection, go to the disk
//     in one transaction after each round. Whatever was not heard of in the meantime,
//     the first round after it bills.
//
// Connections that were there before anybody looked (no run since the machine
// started) begin at what they have by then: that is nobody's bill.
//
// # What is a forwarded connection
//
// One neither of whose ends is this machine: not who opened it, by the original
// tuple's source, and not who answers, by the reply tuple's source, which is the
// destination after translation. Sources after translation do not matter. What is
// this machine's is what the routing table "local" has, broadcast and multicast
// included. A connection is billed to each of its ends that is inside, by the
// addresses that the forward hook sees.
//
// # What it refuses
//
// It does not know what rules have dropped behind conntrack: a dropped packet of a
// known connection is counted, where charges in the kernel (package quota) leave it
// out; packets that opened no connection are not counted at all. ICMP errors and
// packets that conntrack finds invalid belong to no connection. Fragments are counted
// as the packet they make. Transparent proxies take connections of other machines'
// addresses: these look forwarded.
package ledger
