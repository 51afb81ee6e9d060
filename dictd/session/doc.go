// SPDX-License-Identifier: MIT

// Package session knows which connection a queued packet belongs to, and which
// rows of the dictionary are whose.
//
// # Identity
//
// A session is a conntrack zone and original tuple; its row's key is the id of
// its conntrack entry. The id is final on the first packet, but the entry is not:
// until one of them is confirmed, each datagram that finds no entry makes one of
// its own, with an id of its own. So an unconfirmed session owns several ids, and
// each packet's row is written under the packet's own id, all that is known by
// then, provisionally: it dies in seconds unless the kernel confirms the entry (a
// NEW event), whose row is then written whole. Nothing is written under an
// unconfirmed id after its packet has its verdict: it may be another's by then.
//
// Ids are reused at once, mostly for the same tuple, and the events that tell of
// it arrive by another socket than the packets. What keeps them in order:
//
//   - A packet of an unconfirmed entry says so (Packet.First: it came by a queue
//     of its own), and a rule has deleted the row of its id before it was queued.
//   - The kernel sends the DESTROY of an entry before its memory, and with it the
//     id, can be used again. So before a First packet whose id or tuple is known
//     is looked at, all events sent so far are read (Kernel.Drain). What is still
//     known then is alive: a session of the same tuple and another id is the same
//     connection, whose entry was confirmed while this packet waited; a confirmed
//     session of another tuple and the same id collides (see below). An
//     unconfirmed session of the same id is dead: its packet was rejected, which
//     no event tells.
//   - An event concerns a session only if id and tuple are its own, a DESTROY
//     only if the session was confirmed: the stream of one entry is NEW, DESTROY,
//     NEW, and so a DESTROY met before one's own NEW is an ancestor's.
//   - A DESTROY deletes the row before it forgets the session, under one lock
//     with the making of sessions. So a row is never deleted for its successor.
//
// A packet of a confirmed entry whose id is unknown (the daemon started late, or
// saw nothing of it) is looked up in the kernel; what ended while it was looked
// up is not made a session.
//
// # One entry, two connections
//
// Where a packet of the server follows the end of a TCP connection, conntrack lets
// the next connection of the same tuple go on in the old entry: same id, same
// mark, no event. So a SYN of a confirmed entry always comes to the daemon, which
// asks the kernel whether the entry's connection was over (Table.Asks). Where that
// does not know, as it has not seen all of it, the server's SYN and ACK tell
// (Table.Answers).
//
// # Collisions
//
// Two live connections may share an id, about one pair in 100,000 connections.
// Their row is deleted and neither writes until one of them has ended; the other
// then writes its whole row again. No rule acts on a row that is not the
// packet's.
//
// # Loss
//
// After an overrun of the event socket, and every half lease anyway, Reconcile
// dumps the kernel's table: it confirms what was confirmed unheard, forgets what
// ended unheard (after a second look: a dump may miss an entry), and renews the
// rows of all living connections, of sessions or not. Unconfirmed sessions are in
// no dump and stay as they are. Between a loss and that, a session that a First
// packet would join is looked up in the kernel first.
//
// The table is bounded: a connection that finds it full takes the place of the
// oldest unconfirmed one, else it is counted and passes uninspected.
package session
