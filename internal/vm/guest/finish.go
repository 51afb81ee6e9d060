// SPDX-License-Identifier: MIT

package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	kmemleak = "/sys/kernel/debug/kmemleak"
	// leakAge is for how long an object must have been lost before kmemleak
	// tells of it.
	leakAge = 5500 * time.Millisecond
)

// finish adds to the report what is known only when the program is over. What
// it cannot find out it leaves at zero.
func finish(plan *Plan, r *Report) {
	for _, file := range slices.Backward(plan.Extra) {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".ko"), "-", "_")
		if err := unload(name, plan.Patience); err != nil {
			r.Held = append(r.Held, err.Error())
		}
	}
	r.Leaks = leaks()
	if text, err := os.ReadFile("/proc/sys/kernel/tainted"); err == nil {
		r.Taint, _ = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	}
	r.Log = kernelLog()
}

// kernelLog returns what the kernel's log holds, without its first lines if
// they have been overwritten.
func kernelLog() string {
	const readAll, size = 3, 10 // actions of syslog(2)
	n, err := unix.Klogctl(size, nil)
	if err != nil {
		return ""
	}
	buf := make([]byte, n)
	if n, err = unix.Klogctl(readAll, buf); err != nil {
		return ""
	}
	return string(buf[:n])
}

// leaks asks kmemleak twice: the first scan finds candidates, the second
// confirms those that are old enough.
func leaks() string {
	if _, err := os.Stat(kmemleak); err != nil {
		return ""
	}
	for range 2 {
		time.Sleep(leakAge / 2)
		if err := os.WriteFile(kmemleak, []byte("scan"), 0); err != nil {
			return fmt.Sprintf("kmemleak: %v", err)
		}
	}
	text, err := os.ReadFile(kmemleak)
	if err != nil {
		return fmt.Sprintf("kmemleak: %v", err)
	}
	return string(text)
}

// loopbackUp brings up lo, as every distribution does.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	return nil
}
