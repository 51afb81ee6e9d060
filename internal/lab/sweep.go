// SPDX-License-Identifier: MIT

package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// netnsDir is where iproute2 keeps the names of namespaces.
const netnsDir = "/run/netns"

// prefix starts the name of everything a lab puts into the file system; the
// process id follows, so that Sweep can tell the living from the dead.
const prefix = "dl-"

// Sweep removes what labs of dead processes left: names under /run/netns and
// temporary directories. It leaves alone what it cannot attribute, and what
// belongs to a process that lives or to another user. Its error joins what could not be removed.
func Sweep() error {
	return errors.Join(
		sweep(netnsDir, unbind),
		sweep(os.TempDir(), os.RemoveAll),
	)
}

func sweep(dir string, remove func(path string) error) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		pid, ok := owner(e.Name())
		if !ok || alive(pid) {
			continue
		}
		// What another user's lab left is for that user to remove.
		if err := remove(filepath.Join(dir, e.Name())); !errors.Is(err, fs.ErrPermission) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// owner returns the process id in the name of a lab's file.
func owner(name string) (pid int, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	digits, _, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, false
	}
	pid, err := strconv.Atoi(digits)
	return pid, err == nil && pid > 0
}

func alive(pid int) bool { return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) }

// unbind removes a name under /run/netns. One that is already gone is fine.
func unbind(path string) error {
	err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
