// SPDX-License-Identifier: MIT

// Package fold makes a BPF program smaller by what is known of its read-only
// data: it follows the program with the data at hand, leaves out the branches
// that these never take, and puts what it reads from them into the
// instructions. What is left does the same as the whole program with that data
// in a map, and the kernel takes it a good deal faster.
//
// A place that is reached with different known values becomes as many places,
// so loops over the data unroll; where a place has been met too often for that,
// the values that differ are left to the running program.
//
// The package refuses what it does not follow, as ErrUnsupported: functions
// and callbacks, atomic operations, helpers that it does not know, and addresses
// of the data that get anywhere but into a load. Somebody may then still load
// the program with its data in a map. It talks to no kernel.
package fold
