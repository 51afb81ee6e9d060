// SPDX-License-Identifier: MIT

// Package browser drives Chromium in tests: real pages in a real browser, in this
// network namespace or in one of a lab.
//
// A Browser is one process with a profile of its own, headless, without anything it
// would do by itself; each Page is a window of a size, light or dark, with cookies that
// it shares with the browser's other pages. What a page says on its console as an error
// fails the test, unless the test expects it.
//
// It refuses to look once where something takes its time: every method waits for what it
// names, and fails the test with a picture of the page when it does not come.
package browser
