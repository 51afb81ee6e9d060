// SPDX-License-Identifier: MIT

package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// What is enough of a resource, in bytes.
const (
	enoughMemory = 64 << 20
	enoughBuffer = 4 << 20
)

// FindNft returns the path of the installed nft. A user's search path may lack
// the directory of administration: that is looked into too.
func FindNft() (string, error) {
	path, err := exec.LookPath("nft")
	if err != nil {
		if sbin, sbinErr := exec.LookPath("/usr/sbin/nft"); sbinErr == nil {
			return sbin, nil
		}
	}
	return path, err
}

func tryProgram(ctx context.Context) (string, error) {
	path, err := FindNft()
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", path, err)
	}
	return path + ", " + strings.TrimSpace(string(out)), nil
}

// trySecmarkFree looks for the two security modules that label packets.
func trySecmarkFree(context.Context) (string, error) {
	known, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return "", err
	}
	for _, module := range []struct{ fs, name string }{{"selinuxfs", "SELinux"}, {"smackfs", "SMACK"}} {
		if bytes.Contains(known, []byte("\t"+module.fs+"\n")) {
			return "", fmt.Errorf("%s is active", module.name)
		}
	}
	return "neither SELinux nor SMACK is active", nil
}

// tryMemory compares what is free with what a table of the default size takes.
func tryMemory(context.Context) (string, error) {
	free, err := available()
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%d MiB available", free>>20)
	if limit, err := readLine("/sys/fs/cgroup/memory.max"); err == nil && limit != "max" {
		found += fmt.Sprintf(", control group limit %s bytes", limit)
		if n, err := strconv.ParseUint(limit, 10, 64); err == nil {
			free = min(free, n)
		}
	}
	if rows, err := readLine("/proc/sys/net/netfilter/nf_conntrack_max"); err == nil {
		found += ", at most " + rows + " connections"
	}
	if free < enoughMemory {
		return "", fmt.Errorf("%s: want %d MiB", found, enoughMemory>>20)
	}
	return found, nil
}

// available returns MemAvailable in bytes.
func available() (uint64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemAvailable:" {
			kib, err := strconv.ParseUint(f[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo names no MemAvailable")
}

// tryBuffers looks whether sockets may have large receive buffers; with
// CAP_NET_ADMIN the limit does not bind.
func tryBuffers(context.Context) (string, error) {
	text, err := readLine("/proc/sys/net/core/rmem_max")
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("net.core.rmem_max is %d", n)
	switch {
	case n >= enoughBuffer:
		return found, nil
	case os.Geteuid() == 0:
		return found + ", which root may exceed", nil
	}
	return "", fmt.Errorf("%s: want %d, or root", found, enoughBuffer)
}
