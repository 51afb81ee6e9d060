// SPDX-License-Identifier: MIT

// Package identity knows who is behind addresses: hosts (an address and the
// device that has it), devices (a MAC with all its addresses, IPv4, IPv6,
// temporary and link-local), and users with the devices that are bound to them.
// It writes the dictionaries hosts, devices and users, and tells who opens
// connections from an address, so that rows of sessions can say so.
//
// What it knows comes from neighbours (package neighbour), leases of DHCP
// servers (package lease), what devices say of themselves on their link (package
// overheard), user agents that the classifier sees, and users, bound by hand or
// logged in, which a State keeps over restarts. Several changes of a row that come
// together are one write; a single one is written at once. A name that was leased
// wins over one that the device said, and that over one of an earlier run.
//
// An address belongs to the device that the kernel last had proof of. When it
// moves, its row first loses what was said of the former device, then says what
// is known of the new one. When an address has not been heard of for Config.Age
// its row goes; when all of a device's have, the device's row goes too, unless a
// user is bound to it. Rows of an earlier run are taken over, and age. Fields
// that others write into the same rows stay untouched, and keep their row.
//
// It is bounded: when there are Config.Hosts addresses, new ones take the places
// of those that were quiet for long and have no user, or are refused and
// counted; those of a device that has a user take the place of any that has none;
// a device that claims more than Config.Addresses loses the one heard
// of longest ago.
//
// It refuses to believe a device about another, and more of addresses than
// neighbours prove: whoever may send frames on a link can claim any address there,
// as with every gateway. What it says of users is as sure as the link.
package identity
