// SPDX-License-Identifier: MIT

// Package kernel is the cache of kernels that guests boot: an image, its
// modules, and what modules are built against, each under a name such as
// "6.12" or "debug".
//
//	CACHE/kernels/NAME/RELEASE/kernel.json   written last: what is there is whole
//	                          /plain/        modules unpacked for booting
//	                          /...           as the distribution packs it
//
// It refuses to fetch and to build (that is package fetch) and to run
// anything.
package kernel
