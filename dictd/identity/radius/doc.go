// SPDX-License-Identifier: MIT

// Package radius hears from those who let people into the network (access points,
// switches, gateways of VPNs: clients of RADIUS) who is there: it is an accounting
// server (RFC 2866) that takes what Start, Interim-Update and Stop say of user,
// device, addresses and groups, and answers. Accounting-On and -Off end all that a
// client has told.
//
// It answers once what was said has been taken in, and what it could not take in
// not at all: then the client says it again. What it will never understand it
// answers, and counts. A message that comes twice is taken in twice, which changes
// nothing.
//
// It refuses messages of clients that it does not know, or whose authenticators
// (that of the message, and Message-Authenticator where there is one) are not made
// with the client's secret, without an answer. RADIUS over UDP does not hide who
// is where, nor keep who overhears a message from sending it again: the way to the
// clients should be a network of its own.
package radius
