// SPDX-License-Identifier: MIT

// Package netns makes sockets in another network namespace than the caller's.
//
// It refuses to let a goroutine go on in the wrong namespace: a thread that
// cannot come back ends.
package netns
