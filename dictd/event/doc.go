// SPDX-License-Identifier: MIT

// Package event is the daemon's memory of what happened lately: a Log in which
// parts of the daemon note events, and Readers that follow it.
//
// Noting an event never waits for a reader. The last events of each class are
// kept (those of hosts and devices, those of sessions, and all others are three
// classes, so that a flood of one drives out none of another). An event has a
// number; numbers grow by one from 1 on, over all classes. A Reader goes on after
// any number: where events are not kept any more it is told so by a Gap, and
// where the number is an earlier daemon's by a Reset, after which it gets all that
// is kept. A daemon is told from another by its boot id, which is part of a
// Position.
//
// Sessions come by the thousand a second, so their events are kept only while
// somebody reads them, and for a while after; see Log.Wants.
//
// It refuses to keep events over a restart, and to wait for anybody. What is so
// is asked of the daemon's lists; events tell when to ask again.
package event
