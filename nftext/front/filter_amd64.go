// SPDX-License-Identifier: MIT

package front

import "golang.org/x/sys/unix"

const (
	auditArch    = unix.AUDIT_ARCH_X86_64
	foreignCalls = 0x40000000 // and above: the x32 calls
)

func openCalls() []openCall {
	return []openCall{{unix.SYS_OPENAT, 2}, {unix.SYS_OPEN, 1}}
}
