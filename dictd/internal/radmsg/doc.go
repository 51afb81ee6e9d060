// SPDX-License-Identifier: MIT

// Package radmsg is what all that speaks RADIUS here has in common: who speaks and
// with which secret, authenticators of messages (RFC 2865, 2866, 5176;
// Message-Authenticator: RFC 2869, 5.14), and texts in them that somebody else chose.
// Attributes are package radius's (layeh.com/radius).
//
// It refuses what is cut, what is not made with the secret, and names that cannot be
// printed.
package radmsg
