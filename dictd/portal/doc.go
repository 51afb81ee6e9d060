// SPDX-License-Identifier: MIT

// Package portal lets people in: it knows who has logged in at which device, for how
// long and for how much, checks what they give, and ends what has come to its end. A
// session of the portal is a login of package identity, which writes for all
// addresses of the device, of both families, that it is let in; the rules (package
// policy) go by these rows alone.
//
// Ways are what lets somebody in: by a click, with an account or a voucher, and what
// asks others, who are told of what becomes of a session if they wish (Follower).
// Desk is all that the part with the pages may ask, which runs without rights in a
// process of its own: its questions are checked as those of a stranger.
//
// What is kept, is in a file before anybody is let in by it: accounts, vouchers and
// sessions last through a daemon that is killed at any moment.
//
// It refuses to tell which of a name and its secret was wrong, to keep a secret in a
// form in which it could be used, and to let in a device of which no neighbour is
// known: what could not be told apart from others could not be taken back.
package portal
