// SPDX-License-Identifier: MIT

// Package radius lets people into the portal whom servers of RADIUS know: Way asks
// (RFC 2865, by User-Password) and tells the servers of sessions (RFC 2866, octets with
// gigawords, RFC 2869), and Listener hears from them that sessions end or change (RFC
// 5176).
//
// Of an Access-Accept these count: Session-Timeout, Idle-Timeout,
// Acct-Interim-Interval, Class, Port-Limit (devices), User-Name, the attributes that name
// groups, and how much may be moved: ChilliSpot-Max-Total-Octets or
// Mikrotik-Total-Limit, each with its gigawords. Where it cannot be kept as it is meant
// (an amount that is no number) nobody is let in.
//
// It refuses answers without a Message-Authenticator (RFC 2869, 5.14), as without one
// who is between can make them (CVE-2024-3596); requests of whom it does not know; and
// to wait for a server longer than Config.Timeout, Tries times. What is sent over UDP
// can be read: passwords are hidden by MD5 and the secret alone, so the way to the
// servers should be a network of its own.
package radius
