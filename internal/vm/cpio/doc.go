// SPDX-License-Identifier: MIT

// Package cpio writes the archives a Linux kernel unpacks at boot: the format
// "newc" (SVR4 without checksums), with every entry owned by root and every
// time zero, so that the same input gives the same bytes.
//
// It refuses hard links, sparse files, extended attributes and entries larger
// than 4 GiB, and it reads only what it needs to check itself.
package cpio
