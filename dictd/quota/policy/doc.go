// SPDX-License-Identifier: MIT

// Package policy makes the rules that charge budgets and end what is used up: one
// chain at the hook forward, behind the rules of others, so that what these drop is
// not billed, and the chains that it calls.
//
// A packet has its source and its destination looked up in hosts, from there in
// devices, users or groups; the budget is in that row. First come all checks, then
// all charges: what one budget refuses no other has paid for. What is not
// forwarded does not come here, and neither do prefixes that are exempt.
//
//	forward   exempt?  return
//	          check_users_ip    dict users dict hosts ip saddr username quota_remaining <= 0 goto spent_...
//	          unknown           nothing is known of the source: both of the device that sent the frame
//	          charge_users_ip   dict users dict hosts ip saddr username quota_remaining > 0 ... sub meta length
//	spent     quota_exceeded set true; by plan: except these applications, and within the grace what
//	          may turn out to be one; reject, drop, or a mark
//
// It refuses to have sizes in rules: these are data in rows, and a rule is there for
// a kind of subject, or for a plan that has fields of its own.
package policy
