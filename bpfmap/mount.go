// SPDX-License-Identifier: MIT

package bpfmap

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// DefaultDir is where the maps are pinned: a bpffs of our own, because `ip
// netns exec` mounts a /sys of its own and so hides /sys/fs/bpf.
const DefaultDir = "/run/nftdict/bpf"

// mount is a directory in a bpffs.
type mount struct {
	path string
	file *os.File // what path leads through, if that is a descriptor
}

// bpffs finds dir in a bpffs, and mounts one there when there is none. It does
// so in the mount namespace of init, or of the oldest ancestor that lets us in,
// so that a program started by `ip netns exec` finds the same maps as one
// started outside.
func bpffs(dir string) (*mount, error) {
	if isBpffs(dir) {
		return &mount{path: dir}, nil
	}
	pid := elder()
	if pid == 0 {
		return &mount{path: dir}, mountBpffs(dir)
	}
	outside := fmt.Sprintf("/proc/%d/root%s", pid, dir)
	if !isBpffs(outside) {
		if err := mountOutside(pid, dir); err != nil {
			return nil, err
		}
	}
	if isBpffs(dir) { // the mount came to us
		return &mount{path: dir}, nil
	}
	// The ancestor may end before we do.
	file, err := os.OpenFile(outside, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, explain("bpffs", err)
	}
	return &mount{path: fmt.Sprintf("/proc/self/fd/%d", file.Fd()), file: file}, nil
}

func (m *mount) close() error {
	if m.file == nil {
		return nil
	}
	return m.file.Close()
}

func isBpffs(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && uint32(st.Type) == unix.BPF_FS_MAGIC
}

func mountBpffs(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return explain("bpffs", err)
	}
	if err := unix.Mount("bpf", dir, "bpf", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0700"); err != nil {
		return explain(fmt.Sprintf("mount bpffs on %s", dir), err)
	}
	return nil
}

// mountOutside mounts the bpffs in another process's mount namespace. The
// thread that enters it ends there.
func mountOutside(pid int, dir string) error {
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return explain("bpffs", err)
	}
	defer ns.Close()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_FS)
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS)
		}
		if err != nil {
			done <- explain(fmt.Sprintf("enter the mount namespace of process %d", pid), err)
			return
		}
		if isBpffs(dir) {
			done <- nil
			return
		}
		done <- mountBpffs(dir)
	}()
	return <-done
}

// elder returns the process in whose mount namespace the maps belong, 0 if
// that is our own.
func elder() int {
	own, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return 0
	}
	line := []int{}
	for pid := os.Getppid(); pid > 1 && !slices.Contains(line, pid); pid = parent(pid) {
		line = append(line, pid)
	}
	line = append(line, 1)
	slices.Reverse(line)
	for _, pid := range line {
		ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
		switch {
		case errors.Is(err, os.ErrPermission), errors.Is(err, os.ErrNotExist):
			continue
		case err != nil || ns == own:
			return 0
		}
		return pid
	}
	return 0
}

// parent returns the parent of a process, 0 if it cannot be known.
func parent(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return ppid
}
