// SPDX-License-Identifier: MIT

package lab

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Mount mounts a file system of the given type on the directory target for the
// commands of this namespace only, and for as long as it lives: "bpf" on
// /sys/fs/bpf gives the gateway pins of its own, "tmpfs" on /run a clean /run.
// Commands started earlier, Do and this process do not see it.
func (n *Namespace) Mount(fstype, target string) error {
	return n.mount(func() error {
		if err := unix.Mount(fstype, target, fstype, 0, ""); err != nil {
			return fmt.Errorf("mount %s on %s in %s: %w", fstype, target, n.name, err)
		}
		return nil
	})
}

// Cover lays the file path over the file target, for the commands of this
// namespace only. A symbolic link as target is followed.
func (n *Namespace) Cover(path, target string) error {
	return n.mount(func() error {
		real, err := filepath.EvalSymlinks(target)
		if err != nil {
			return fmt.Errorf("cover %s in %s: %w", target, n.name, err)
		}
		if err := unix.Mount(path, real, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("cover %s in %s: %w", target, n.name, err)
		}
		return nil
	})
}

// mount runs fn on the keeper's thread, which gets a mount namespace of its
// own first: mounts of the host still arrive there, none go back.
func (n *Namespace) mount(fn func() error) error {
	return n.keeper.do(func() error {
		if !n.private {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return fmt.Errorf("new mount namespace for %s: %w", n.name, os.NewSyscallError("unshare", err))
			}
			if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
				return fmt.Errorf("private mounts for %s: %w", n.name, err)
			}
			n.private = true
		}
		return fn()
	})
}
