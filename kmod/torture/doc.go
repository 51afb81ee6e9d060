// SPDX-License-Identifier: MIT

// Package torture wears the kernel module out, in a guest whose kernel watches
// itself (make test-kasan): messages, rules and text that are partly nonsense,
// many who write, read, load and send at once, namespaces and the module
// itself that go meanwhile, and memory that is not there when it is asked for.
//
// What the module answers is hardly looked at; other suites do that. After each
// test it must still work, everything must be deletable, no memory may be
// counted that is not there, and the kernel must not have complained, which the
// guest's runner sees to.
//
// NFTDICT_SEED is the seed of what is random, NFTDICT_TORTURE how long each
// part of it lasts: a time ("20s", the default "3s"), or a number of cases
// ("5000x"), which with a seed gives the same cases again. The seed is printed,
// and the kernel's log tells which case was under way.
//
// The package refuses to run where there is no module, and to judge the
// kernel's own log.
package torture
