// SPDX-License-Identifier: MIT

// Package labtest gives a test its own lab. It is apart from package lab so
// that programs can have a lab without the testing package.
//
// It refuses to run without root and network namespaces: the test is skipped,
// or fails where the run has promised them (features "root" and "netns").
package labtest
