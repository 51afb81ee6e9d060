// SPDX-License-Identifier: MIT

// Package doctor finds out what this machine offers of what the dictionaries,
// their rules and the daemon need. Each check tries the thing itself, in a
// network namespace of its own that is gone afterwards, and says whether it is
// present, what was found, and what follows if it is not.
//
// It refuses to conclude from version numbers, and it changes nothing: no
// module is asked for by name, no file is written, no rule touches the
// namespace it was started in. (A kernel that loads modules on demand may load
// those that a rule names.)
package doctor
