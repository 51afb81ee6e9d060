// SPDX-License-Identifier: MIT

// Package httpd is what servers of HTTP here have in common: a bound of connections that
// keeps nobody out who asks for something, and a log of what ends in a panic.
//
// It refuses nobody a connection: where there is no place somebody loses his who says
// nothing.
package httpd
