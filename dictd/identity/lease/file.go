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

// contents is what a file says.
type contents struct {
	leases  []Lease // by address
	refused int     // lines
	part    bool    // it is empty, or ends within a line: it is being written, perhaps
}

// Read returns the leases of a file that live at a time, by address, and how
// many of its lines were refused. A file that is not there has none.
func Read(path string, now time.Time) (leases []Lease, refused int, err error) {
	c, err := read(path, now)
	return c.leases, c.refused, err
}

func read(path string, now time.Time) (c contents, err error) {
	t := table{now: now, leases: make(map[netip.Addr]Lease)}
	for _, part := range parts(path) {
		if err := t.readFile(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return contents{}, fmt.Errorf("leases: %w", err)
		}
	}
	for _, l := range t.leases {
		c.leases = append(c.leases, l)
	}
	slices.SortFunc(c.leases, func(a, b Lease) int { return a.Addr.Compare(b.Addr) })
	c.refused, c.part = t.refused, t.part
	return c, nil
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
	t.part = t.part || fi.Size() == 0
	return t.read(f)
}
