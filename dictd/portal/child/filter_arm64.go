// SPDX-License-Identifier: MIT

package child

import "golang.org/x/sys/unix"

const (
	auditArch    = unix.AUDIT_ARCH_AARCH64
	foreignCalls = 0xffffffff
)

var refusedHere = []uint32{unix.SYS_RENAMEAT}
