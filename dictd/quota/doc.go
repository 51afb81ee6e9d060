// SPDX-License-Identifier: MIT

// Package quota keeps budgets: it opens and closes periods, tops up, warns, and
// remembers, while the kernel charges. What is left of a budget stands in its
// subject's row (users, devices, hosts, groups), where rules of package policy
// take off what passes and end what has nothing left, to the packet, with the
// daemon alive or dead.
//
// Rows are the truth while the kernel lives. A row says which period it is of
// (quota_period): a daemon that starts goes on with a row of the current period,
// closes the period of an older one with what that has left, and restores what is
// not there from its file, which it writes at least every five seconds. Whatever
// it changes of a budget that rules charge, it changes by adding.
//
// Time is counted here: the rules count the octets of a plan, and where these have
// moved since the last look, the time since then counts. Pauses count, too, once they
// are over: up to half a minute, and longer ones as far as what was fetched before
// would have lasted.
//
// It refuses to charge a session before its application is known, to have more
// plans than rules can bear, and to touch rows of others: a row without
// quota_plan is charged if there are rules for its kind, and otherwise left alone.
package quota
