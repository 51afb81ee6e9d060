// SPDX-License-Identifier: MIT

// Package need is the one way for a test to depend on the machine it runs on.
//
// A test asks for what it needs. Where that is absent the test is skipped,
// unless the run has promised it: the environment variable NFTDICT_REQUIRE
// holds a comma-separated list of features (or "all"), and a promised feature
// that is absent fails the test. `make test` promises what it installed, so a
// skip cannot hide a breakage.
//
// It refuses to guess: a feature without a probe is a programming error.
package need
