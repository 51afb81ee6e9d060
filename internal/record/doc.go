// SPDX-License-Identifier: MIT

// Command record makes the captures that the classifier is tested with, each
// from its recipe in classifier/testdata/captures:
//
//	go run ./internal/record [flags] [NAME ...]
//
// A recipe names packages of the distribution and two scripts. The packages are
// installed by apt into a layer over this machine's /usr, /etc and /var, which
// stay as they are; the layer is kept in a cache. The scripts run as two hosts, in
// namespaces of their own for the network, processes, mounts and host name, on
// one link; what crosses it is recorded, cut down and written beside the recipe
// as NAME.pcap, IP packets without their link header.
//
//	 client                                 server
//	+----------------------------+        +----------------------------+
//	| eth0 192.0.2.10            |--------| eth0 192.0.2.20            |
//	|      2001:db8::10          | record |      2001:db8::20          |
//	+----------------------------+        +----------------------------+
//
// It refuses to start a service on this machine, to let a script reach a network
// other than that link, and to keep packets of the link itself (ARP, neighbour
// discovery). It needs root, and a Debian whose release has the packages.
package main
