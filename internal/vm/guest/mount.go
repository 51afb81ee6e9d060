// SPDX-License-Identifier: MIT

package guest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mount is one file system of a guest.
type mount struct {
	source, target, kind string
	flags                uintptr
	data                 string
	may                  bool // be absent from the kernel
}

// mountKernel mounts what the kernel shows below root: the first mounts of a
// guest.
func mountKernel(root string) error {
	const quiet = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	return mountAll(root, []mount{
		{"proc", "/proc", "proc", quiet, "", false},
		{"sysfs", "/sys", "sysfs", quiet, "", false},
		{"devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "mode=0755", false},
		{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "mode=0620,ptmxmode=0666", true},
		{"shm", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "", true},
		{"cgroup2", "/sys/fs/cgroup", "cgroup2", quiet, "", true},
		{"bpf", "/sys/fs/bpf", "bpf", quiet, "mode=0700", true},
		{"debugfs", "/sys/kernel/debug", "debugfs", quiet, "", true},
		{"tracefs", "/sys/kernel/tracing", "tracefs", quiet, "", true},
	})
}

// settle makes the boot archive a place to work in.
func settle(extra *extras) error {
	err := mountAll("", []mount{
		{"run", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755", false},
		{"tmp", "/tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777", true},
	})
	return errors.Join(err, links(""), extra.write(""))
}

// enterHost changes the root to the host's, under a layer of memory.
func enterHost(plan *Plan, extra *extras) error {
	const root = "/new"
	const share = "trans=virtio,version=9p2000.L,msize=524288,cache=loose"
	err := mountAll("", []mount{
		{ShareTag, "/host", "9p", unix.MS_RDONLY, share, false},
		{"layer", "/layer", "tmpfs", 0, "mode=0755", false},
	})
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir("/layer/up", 0o755), os.Mkdir("/layer/work", 0o755)); err != nil {
		return err
	}
	err = mountAll("", []mount{{"root", root, "overlay", 0, "lowerdir=/host,upperdir=/layer/up,workdir=/layer/work", false}})
	if err != nil {
		return err
	}
	if err := mountKernel(root); err != nil {
		return err
	}
	err = mountAll(root, []mount{
		{"run", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755", false},
	})
	if err := errors.Join(err, links(root), extra.write(root)); err != nil {
		return err
	}
	if plan.Tree != "" {
		at := filepath.Join("/lib/modules", plan.Release)
		if err := mountAll(root, []mount{{filepath.Join("/host", plan.Tree), at, "", unix.MS_BIND, "", false}}); err != nil {
			return err
		}
	}
	// The kernel's own threads share this process's root, so that they find
	// modprobe there, too.
	if err := unix.Chdir(root); err != nil {
		return fmt.Errorf("enter %s: %w", root, err)
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move %s to /: %w", root, err)
	}
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("change the root to %s: %w", root, err)
	}
	return os.Chdir("/")
}

// links makes the names in /dev and /run that programs expect.
func links(root string) error {
	for _, l := range [][2]string{
		{"/proc/self/fd", "/dev/fd"}, {"fd/0", "/dev/stdin"}, {"fd/1", "/dev/stdout"}, {"fd/2", "/dev/stderr"},
	} {
		if err := os.Symlink(l[0], root+l[1]); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return errors.Join(os.MkdirAll(root+"/run/lock", 0o755), os.MkdirAll(root+"/run/netns", 0o755))
}

func mountAll(root string, all []mount) error {
	for _, m := range all {
		at := root + m.target
		err := os.MkdirAll(at, 0o755)
		if err == nil {
			err = unix.Mount(m.source, at, m.kind, m.flags, m.data)
		}
		if err != nil && !m.may {
			return fmt.Errorf("mount %s on %s: %w", m.source, at, err)
		}
	}
	return nil
}
