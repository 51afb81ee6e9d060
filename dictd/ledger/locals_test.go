// SPDX-License-Identifier: MIT

package ledger

import (
	"fmt"
	"net/netip"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// A machine that has no address yet has no table of its addresses; they are known
// once they come.
func TestLocals(t *testing.T) {
	need.Root(t)
	ip := need.Program(t, "ip")
	done := make(chan error)
	go func() {
		// The thread is never unlocked: it ends with the goroutine.
		runtime.LockOSThread()
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			l, err := OpenLocals(0)
			if err != nil {
				return err
			}
			defer l.Close()
			if l.Has(netip.MustParseAddr("192.0.2.1")) {
				t.Error("an address before it is there")
			}
			for _, args := range [][]string{
				{"link", "set", "lo", "up"}, {"link", "add", "br0", "up", "type", "bridge"},
				{"addr", "add", "192.0.2.1/24", "dev", "br0"}, {"addr", "add", "2001:db8::1/64", "dev", "br0", "nodad"},
			} {
				if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
					return fmt.Errorf("ip %q: %w: %s", args, err, out)
				}
			}
			if err := l.Refresh(); err != nil {
				return err
			}
			for text, want := range map[string]bool{
				"192.0.2.1": true, "127.0.0.1": true, "127.5.5.5": true, "192.0.2.255": true, "2001:db8::1": true, "ff02::1": true,
				"224.0.0.1": true, "192.0.2.2": false, "2001:db8::2": false,
			} {
				if got := l.Has(netip.MustParseAddr(text)); got != want {
					t.Errorf("%s: %v, want %v", text, got, want)
				}
			}
			return nil
		}()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
