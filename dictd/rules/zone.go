// SPDX-License-Identifier: MIT

package rules

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// KernelZone returns how far west of UTC the kernel takes the days of the week to begin,
// which is 0 unless somebody has told it where it is.
func KernelZone() time.Duration {
	var zone struct{ minuteswest, dsttime int32 }
	if _, _, errno := unix.Syscall(unix.SYS_GETTIMEOFDAY, 0, uintptr(unsafe.Pointer(&zone)), 0); errno != 0 {
		return 0 // as where nobody has said anything
	}
	return time.Duration(zone.minuteswest) * time.Minute
}
