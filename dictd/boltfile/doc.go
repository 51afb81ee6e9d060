// SPDX-License-Identifier: MIT

// Package boltfile keeps a daemon from dying of a file of bbolt that a power cut,
// a full disk or a hand has damaged: the library panics on such a file, at times in
// a goroutine of its own, or touches memory that is not there. Here that is an
// error, which tells damage from a file that cannot be opened now.
//
// It refuses to mend a file, and to throw one away: who would rather begin anew
// sets it aside.
package boltfile
