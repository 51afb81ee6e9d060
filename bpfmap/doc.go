// SPDX-License-Identifier: MIT

// Package bpfmap is a dict.Store over eBPF maps, and the compiler that makes
// nft rules consult them: the backend for kernels without our module.
//
// Only maps are pinned, in one directory per network namespace of a bpffs of
// our own, so tables and rows outlive every process. How a table lies in its
// maps is told in bpf/layout.h. Rows are written by a small program in the
// kernel, many at a run: a run ends whatever becomes of the process that asked
// for it, so kill -9 leaves neither half a row nor a lock. Several processes
// may write at once. Changes of the schema are made under a lock on the
// directory that dies with its holder; each becomes visible by one element
// written last, and what a dead process left half made is removed by the next.
//
// Every distinct condition of a rule is one program, handed to the kernel by
// descriptor and gone with its rule. It finds the row by what it reads from the
// packet, or by a number that nft puts into the packet's secmark before it.
//
// The package refuses to truncate and to guess: a full table, a name it does not
// know, a value of another type. It cannot put a value into a register of nft,
// and says so. It does not see conntrack entries go: rows of Bound tables are
// leases that somebody must renew. It runs on little-endian machines, and
// needs Linux 6.1 and root, or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and, for the
// mount, CAP_SYS_ADMIN.
//
// Memory: a narrow value takes 96 bytes, a string 256, a row 128 (256 with a
// string for a key), and the hash tables 16 bytes for each place rounded up to
// a power of two: about 25 MB for sessions with 65,536 rows, before the
// first is written, and 400 bytes for each more.
package bpfmap
