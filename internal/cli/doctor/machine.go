// SPDX-License-Identifier: MIT

package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"

	landlock "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// What is enough of a resource, in bytes.
const (
	enoughMemory = 256 << 20
	enoughBuffer = 4 << 20
)

// FindNft returns the path of the installed nft. A user's search path may lack
// the directory of administration: that is looked into too.
func FindNft() (string, error) {
	nft, err := exec.LookPath("nft")
	if err != nil {
		if sbin, sbinErr := exec.LookPath("/usr/sbin/nft"); sbinErr == nil {
			return sbin, nil
		}
	}
	return nft, err
}

func tryProgram(ctx context.Context) (string, error) {
	nft, err := FindNft()
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, nft, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", nft, err)
	}
	return nft + ", " + strings.TrimSpace(string(out)), nil
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

// tryMemory compares what may be had with what tables of the default sizes
// take.
func tryMemory(context.Context) (string, error) {
	free, err := available()
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%d MiB available", free>>20)
	if limit, ok := groupLimit(); ok {
		found += fmt.Sprintf(", control group limit %d MiB", limit>>20)
		free = min(free, limit)
	}
	if rows, err := readLine("/proc/sys/net/netfilter/nf_conntrack_max"); err == nil {
		found += ", at most " + rows + " connections"
	}
	if free < enoughMemory {
		return "", fmt.Errorf("%s: want %d MiB", found, enoughMemory>>20)
	}
	return found, nil
}

// groupLimit returns the lowest memory limit, in bytes, of the control groups
// (version 2) that this process is in.
func groupLimit() (limit uint64, ok bool) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		group, found := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ; found && group != ""; group = strings.TrimSuffix(path.Dir(group), "/") {
			// The root group has no limit, and "max" is none.
			n, err := readUint(path.Join("/sys/fs/cgroup", group, "memory.max"))
			if err == nil && (!ok || n < limit) {
				limit, ok = n, true
			}
		}
	}
	return limit, ok
}

func readUint(file string) (uint64, error) {
	text, err := readLine(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(text, 10, 64)
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

// tryLandlock names the version of landlock.
func tryLandlock(context.Context) (string, error) {
	version, err := landlock.LandlockGetABIVersion()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("version %d", version), nil
}
