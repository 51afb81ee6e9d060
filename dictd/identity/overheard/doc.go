// SPDX-License-Identifier: MIT

// Package overheard listens to what devices say of themselves to all of their
// link: requests for leases (DHCP, also for IPv6), announcements of multicast DNS,
// registrations of NetBIOS names and the questions by which LLMNR makes sure that
// a name is free. From these come names, and what tells kinds of devices: vendor
// classes, the options that are asked for, models and services.
//
// It reads what passes, in packet sockets of the interfaces that it is told, of
// which the kernel gives it the broadcasts and multicasts of these ports alone, and
// has the network cards take the groups' frames in. Packets that come by other
// interfaces, and those of a flowtable, do not even pass the filters. It sends nothing and joins no group at the IP layer:
// where a switch prunes groups, what it prunes is not heard. (The groups of
// multicast DNS and LLMNR over IPv4, and broadcasts, no switch prunes.)
//
// A message counts for the device that sent the frame, and for no other: a request
// for a lease that names another device, or that a relay has passed on, is
// refused, as are fragments and what is not as its protocol has it. Text that is
// not printable UTF-8 of at most 128 bytes is left out. It is bounded: what
// comes faster than MaxRate a second is counted and not looked at.
package overheard
