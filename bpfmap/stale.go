// SPDX-License-Identifier: MIT

package bpfmap

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// initialPidNamespace is the inode of the kernel's first pid namespace, which
// alone sees every process.
const initialPidNamespace = "pid:[4026531836]"

// prune removes the tables of network namespaces that are gone. It runs when a
// namespace gets its first tables. Where it cannot see all processes it
// removes nothing: tables that nobody uses cost memory, not correctness.
func prune(base string) error {
	if ns, err := os.Readlink("/proc/self/ns/pid"); err != nil || ns != initialPidNamespace {
		return err
	}
	live, err := liveNetns()
	if err != nil {
		return err
	}
	return pruneBut(base, live)
}

// pruneBut removes the tables of namespaces whose inode is known and not among
// live.
func pruneBut(base string, live map[uint64]bool) error {
	entries, err := os.ReadDir(base)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		cookie, err := strconv.ParseUint(e.Name(), 10, 64)
		if err != nil || !e.IsDir() {
			continue
		}
		n, err := attach(base, cookie)
		if err != nil {
			continue // half made, or of another version
		}
		if inode := n.state.inode; inode != 0 && !live[inode] {
			errs = append(errs, n.remove())
		}
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}

// liveNetns returns the inodes of all network namespaces that a thread is in,
// a descriptor holds or a mount pins.
func liveNetns() (map[uint64]bool, error) {
	live := map[uint64]bool{}
	tasks, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		for _, name := range []string{task + "/ns/net", task + "/ns/net_for_children"} {
			if err := noteLink(live, name); err != nil && !strings.HasSuffix(name, "_for_children") {
				return nil, err
			}
		}
		fds, err := os.ReadDir(task + "/fd")
		if err != nil && !gone(err) {
			return nil, err
		}
		for _, fd := range fds {
			if err := noteLink(live, task+"/fd/"+fd.Name()); err != nil {
				return nil, err
			}
		}
		if err := noteMounts(live, task+"/mountinfo"); err != nil {
			return nil, err
		}
	}
	return live, nil
}

// gone reports whether an error says that a process ended meanwhile.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// noteLink notes the namespace that a link of /proc leads to, if any.
func noteLink(live map[uint64]bool, name string) error {
	to, err := os.Readlink(name)
	if err != nil {
		if gone(err) {
			return nil
		}
		return err
	}
	note(live, to)
	return nil
}

// noteMounts notes the namespaces that are mounted somewhere.
func noteMounts(live map[uint64]bool, name string) error {
	f, err := os.Open(name)
	if err != nil {
		if gone(err) {
			return nil
		}
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// The root of an nsfs mount is the namespace: net:[4026532000].
		if fields := strings.Fields(lines.Text()); len(fields) > 3 {
			note(live, fields[3])
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, unix.EINVAL) && !gone(err) {
		return err
	}
	return nil
}

// note notes a namespace by its name in /proc; others it leaves.
func note(live map[uint64]bool, name string) {
	number, ok := strings.CutPrefix(name, "net:[")
	if !ok {
		return
	}
	if inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64); err == nil {
		live[inode] = true
	}
}
