// SPDX-License-Identifier: MIT

// Package plan is what a quota plan says: for whom, of what, how much, in which
// periods of the calendar, and what comes after. It is pure: no clock, no rows.
//
// It refuses plans that cannot be kept: without a bound or with two, for nobody,
// of a zone that the machine does not know, under a name that is no field's.
package plan
