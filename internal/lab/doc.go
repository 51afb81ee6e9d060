// SPDX-License-Identifier: MIT

// Package lab is a small internet in network namespaces, for tests and the
// demo: a client, a gateway and an internet full of real servers under many
// names, joined by veth links. Real programs and Go clients run inside.
//
//	 client                    gateway                          internet
//	+----------------+        +-----------------------+        +---------------------+
//	| eth0           |        | lan0             wan0 |        | eth0                |
//	| 192.168.77.2   |--------| .1                 .1 |--------| 192.0.2.2           |
//	| fd77::2        |        | fd77::1   2001:db8::1 |        | 2001:db8::2         |
//	+----------------+        |                       |        | lo: every site has  |
//	 guest (if asked)         |                       |        |  198.51.100.N and   |
//	+----------------+        |                       |        |  2001:db8:100::N    |
//	| eth0           |        |                       |        | dns at 192.0.2.53   |
//	| 192.168.78.2   |--------| lan1                  |        |  and 2001:db8::53   |
//	| fd78::2        |        | .1, fd78::1           |        +---------------------+
//	+----------------+        +-----------------------+
//
// The gateway forwards both families and translates nothing. The links carry
// wire-sized packets: segmentation offload is off, so what one write sends is
// cut to the MTU before it reaches the gateway.
//
// A namespace is anonymous and kept by one thread of this process. Everything
// in it (links, sockets, child processes, private mounts) goes with that
// thread, so even a process killed with SIGKILL leaves nothing behind but an
// empty directory, and names under /run/netns where the lab was asked for
// them; Sweep removes those.
//
// The package refuses to touch anything outside its namespaces: links are
// created inside them, sysctls and mounts are set on the keeper's thread. It
// refuses to translate addresses, to install rules and to reassemble streams:
// a capture answers only for what single packets hold. It needs root.
package lab
