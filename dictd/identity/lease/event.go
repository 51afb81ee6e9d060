// SPDX-License-Identifier: MIT

package lease

import (
	"encoding/binary"
	"strings"
)

// event is the fixed part of what inotify tells.
type event struct {
	watch int32
	mask  uint32
	size  int // of the name that follows, in bytes
}

// readEvent reads an event; b is long enough.
func readEvent(b []byte) event {
	return event{int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]), int(binary.NativeEndian.Uint32(b[12:]))}
}

// cString returns what comes before the first NUL.
func cString(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}
