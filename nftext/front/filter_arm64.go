// SPDX-License-Identifier: MIT

package front

import "golang.org/x/sys/unix"

const (
	auditArch    = unix.AUDIT_ARCH_AARCH64
	foreignCalls = 0xffffffff // none
)

func openCalls() []openCall {
	return []openCall{{unix.SYS_OPENAT, 2}}
}
