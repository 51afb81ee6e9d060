// SPDX-License-Identifier: MIT

package web

import "golang.org/x/sys/unix"

// Connections at one time: of all clients, and of one address. Fewer requests are worked
// on (maxAsking).
const (
	MaxConnections = 2048
	maxOfAddress   = 64
)

// OtherFiles are descriptors that a process needs besides.
const OtherFiles = 64

// placesHere is how many connections the process can have: of its descriptors some
// are for other things.
func placesHere() int {
	var have unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &have); err != nil {
		return MaxConnections
	}
	return max(1, int(min(MaxConnections+OtherFiles, have.Cur))-OtherFiles)
}
