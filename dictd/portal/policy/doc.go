// SPDX-License-Identifier: MIT

// Package policy makes the rules of a captive portal: who is not let in reaches this
// machine, what is in the walled garden, and else nothing, over IPv4 and IPv6 alike.
//
//	prerouting  from inside, not let in, TCP to port 80: to the portal's own port
//	forward     from inside: the device that sent the frame is let in, or the address is, of
//	            which no device is known: go on
//	            the walled garden, by prefix and by session: go on
//	            TCP is reset, all else rejected
//	            to inside: the address is let in: go on; answers of the garden: go on; drop
//	input       the portal's ports, but from inside: reset
//
// Rows say who is let in, so that with no daemon there who is in stays in, and who is
// not stays out. They are asked for each packet: a live connection ends at the next
// packet behind a change, whichever way that goes. A device is told by its frames,
// so that an address that is somebody else's helps nobody; whoever takes another's
// hardware address is that device to the rules.
//
// It refuses to terminate or to answer what is not for the portal: a connection to
// port 443 is reset.
package policy
