// SPDX-License-Identifier: MIT

//go:build !amd64 && !arm64

package child

const auditArch, foreignCalls = 0, 0

var refusedHere []uint32
