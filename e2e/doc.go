// SPDX-License-Identifier: MIT

// Package e2e holds the tests of the whole: the programs dictd and dictctl as
// users run them, on this machine's kernel, with real clients and servers in
// the lab's namespaces. It holds no code but tests, and refuses to mock.
package e2e
