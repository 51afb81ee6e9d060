// SPDX-License-Identifier: MIT

package offload

import (
	"time"

	"golang.org/x/sys/unix"
)

// unsettled is how long Settle waits where the kernel cannot be asked.
const unsettled = 20 * time.Millisecond

// Settle returns when the packets that were at rules when it was called are past them:
// what they put into a flowtable by what rows said before is there by then. Packets that
// wait in a queue of somebody's are not meant.
func Settle() {
	// The command waits for all readers of RCU, which packets at rules are.
	const global = 1
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		time.Sleep(unsettled) // processors without ticks have no such command
	}
}
