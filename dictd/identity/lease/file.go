// SPDX-License-Identifier: MIT

package lease

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// parts are the files in which the leases of one are, in the order in which they
// are read. Kea cleans up in the first of them that there are.
func parts(path string) []string {
	if completed := path + ".completed"; exists(completed) {
		return []string{completed, path}
	}
	return []string{path + ".2", path + ".1", path}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Read returns the leases of a file that live at a time, by address, and how
// many of its lines were refused. A file that is not there has none.
func Read(path string, now time.Time) (leases []Lease, refused int, err error) {
	t := table{now: now, leases: make(map[netip.Addr]Lease)}
	for _, part := range parts(path) {
		if err := t.readFile(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, 0, fmt.Errorf("leases: %w", err)
		}
	}
	for _, l := range t.leases {
		leases = append(leases, l)
	}
	slices.SortFunc(leases, func(a, b Lease) int { return a.Addr.Compare(b.Addr) })
	return leases, t.refused, nil
}

// readFile takes the lines of a file. One that is no file would have it wait.
func (t *table) readFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%s: is no regular file", path)
	}
	return t.read(f)
}
