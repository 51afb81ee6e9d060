// SPDX-License-Identifier: MIT

package nowait_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/nowait"
)

func TestDatagrams(t *testing.T) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	buf := make([]byte, 8)
	if _, err := nowait.Receive(ends[1], buf, 0); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("nothing was sent: %v", err)
	}
	for _, text := range []string{"one", "another that is longer"} {
		if err := nowait.Write(ends[0], []byte(text)); err != nil {
			t.Fatal(err)
		}
		n, err := nowait.Receive(ends[1], buf, unix.MSG_TRUNC)
		if err != nil || n != len(text) || string(buf[:min(n, len(buf))]) != text[:min(n, len(buf))] {
			t.Errorf("%q: %d bytes, %q, %v", text, n, buf, err)
		}
	}
	if err := nowait.Write(-1, buf); !errors.Is(err, unix.EBADF) {
		t.Errorf("no socket: %v", err)
	}
}
