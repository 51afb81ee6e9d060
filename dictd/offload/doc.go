// SPDX-License-Identifier: MIT

// Package offload has a flowtable carry connections past all rules, once what they
// are is known and all rules have let them pass: a table of the daemon's own with the
// flowtable, and a chain at forward behind all that decides, whose last rule is
//
//	dict sessions ct id final true flow add @fast
//
// In front of it stand those that keep connections on the slow path: by application,
// user or mark, or because a row says no_offload. A Keeper follows the devices, puts
// the table back when somebody has removed it, and has all connections asked about
// again when rules of others or routes change. A Recaller takes connections out again,
// and a Sweeper has network cards forget them.
//
// It refuses to fail where the kernel has no flowtables, and to touch those of others.
package offload
