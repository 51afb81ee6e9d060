// SPDX-License-Identifier: MIT

// Package desk carries what the portal's pages ask from their process to the daemon:
// over a pair of sockets that keep messages apart (SOCK_SEQPACKET), each a JSON
// object. Client asks there, and is a portal.Desk; Serve answers from another.
//
// The asking side has no rights and may be somebody else's program by the time it
// asks. It says for which address it asks, and there is no way to know better: what
// it could do in others' names is what they could do, to log out or to try a
// password.
//
// Serve refuses questions that are not exactly as Client would write them, and ends
// with the first; more at a time than it answers, which wait, or are told to
// come again where somebody else has to be asked for the answer.
package desk
