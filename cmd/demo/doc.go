// SPDX-License-Identifier: MIT

// Command demo shows the main job of the project in under a minute: real
// programs on a client reach real servers through a gateway, on which dictd
// learns what the traffic is and nft rules act on it. Client, gateway and
// internet are network namespaces of the demo's own (internal/lab).
//
// Every command that it prints it runs, to the letter; the visits of its own
// browser are marked as such. It checks what it
// claims, and exits with 1 if a claim does not hold or a command fails, with 2
// after a wrong option, and with 130 when interrupted; it cleans up each time.
//
//	demo [--bin DIR] [--backend auto|kmod|ebpf]
//
// It refuses to touch anything outside its namespaces: the gateway has a /run
// and a bpffs of its own, which go with it. It needs root.
package main
