// SPDX-License-Identifier: MIT

// Package child runs the portal's pages (package web) in a process that can do
// nothing else. The daemon starts its own program once more (Main), with sockets that
// listen already, one to ask by (package desk), and one of which it reads what the
// pages are to be like, the certificate's key among it. When that process ends
// another takes its place; clients that come meanwhile wait in the sockets' queues.
//
// Before the first byte from outside is read the process is another user's, has no
// capability, may gain none, and by landlock and a filter of system calls can open
// no file, make no socket, start no program and touch no other process; files, memory
// and descriptors are limited. It ends when the daemon does.
//
// It refuses to serve with rights. Where the kernel has no landlock it says so, and
// goes on with the rest.
package child
