// SPDX-License-Identifier: MIT

// Package lease reads the leases of DHCP servers: dnsmasq's file, and the CSV
// files in which Kea keeps those of both families (memfile). A Watcher reads them
// again as soon as a server has written.
//
// Both servers replace their files. Kea moves them about while it cleans up
// (leases4.csv.1, .2, .completed): what these hold is read in the order in which
// Kea itself does. A lease that has ended, was given back or declined is none.
//
// It refuses to believe a line in which anything is not as the server writes it,
// to hold more than MaxLeases of a file, and to read a file beyond MaxSize: the
// rest is counted. Names are passed on as they are written there; whoever uses
// them has to check them. It never writes.
package lease
