// SPDX-License-Identifier: MIT

// Package neighbour tells which device has which address on the links of a
// network namespace: the kernel's neighbours (ARP and neighbour discovery), as
// rtnetlink reports them, of the interfaces that are inside. Inside are those
// that the configuration names, else all by which no default route leaves.
//
// An entry says that the device has, or lately had, the address: REACHABLE,
// STALE, DELAY, PROBE or PERMANENT. The kernel dropping an entry, or failing to
// reach the device, says nothing about who has the address, and is not told.
// All entries are told again every minute with the time since they were
// confirmed, so that a listener knows what is alive.
//
// When the kernel finds the socket full, or links and default routes change, all
// is read anew; nothing is concluded from what was lost.
//
// An address belongs to the link whose network it is in, where it is in one: who
// has it on another link is not believed. While no default route is there, what
// was outside stays so.
//
// It also tells which devices bridges reach by other ports than before, and when
// somebody else has an address outside.
//
// It refuses entries without an Ethernet address of one device, addresses that
// are no single host's, proxied ones and those of the loopback. It never writes
// to the kernel.
package neighbour
