// SPDX-License-Identifier: MIT

package vendor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// MaxFile is the largest registry that is read, in bytes.
const MaxFile = 64 << 20

// Open reads registries. What an earlier one says stays. An error names the file
// and what helps.
func Open(paths ...string) (*Table, error) {
	b := NewBuilder()
	for _, path := range paths {
		if err := b.open(path); err != nil {
			return nil, err
		}
	}
	return b.Table(), nil
}

// Auto is the name that stands for what is Installed, in Load.
const Auto = "auto"

// Load is Open, and Open of what is Installed for the one name Auto. Of that,
// files that cannot be read are left out and told to skipped.
func Load(paths []string, skipped func(error)) (*Table, error) {
	if len(paths) != 1 || paths[0] != Auto {
		return Open(paths...)
	}
	b := NewBuilder()
	for _, path := range Installed() {
		if err := b.open(path); err != nil {
			skipped(err)
		}
	}
	return b.Table(), nil
}

// open reads one registry.
func (b *Builder) open(path string) error {
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() { // a pipe is not waited for
		return fmt.Errorf("%s: %w: not a file", path, ErrNoEntries)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: install a registry of hardware addresses (package ieee-data), or correct the name", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	in := &io.LimitedReader{R: f, N: MaxFile + 1}
	before := len(b.entries)
	_, err = b.Add(in)
	switch {
	case in.N <= 0:
		return fmt.Errorf("%s: %w: more than %d bytes", path, ErrTooLarge, MaxFile)
	case errors.Is(err, ErrNoEntries):
		return fmt.Errorf("%s: %w: want the IEEE's oui.csv or oui.txt, Wireshark's manuf or nmap's nmap-mac-prefixes", path, err)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	b.files = append(b.files, File{Path: path, Changed: fi.ModTime().UTC(), Entries: len(b.entries) - before})
	return nil
}

// Installed returns the registries that this machine has in the usual places,
// those with whole names first.
func Installed() []string { return installed("/") }

// installed is Installed below a root.
func installed(root string) []string {
	var found []string
	// first takes the first of several ways to have one registry.
	first := func(paths ...string) {
		for _, p := range paths {
			p = filepath.Join(root, p)
			if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() {
				found = append(found, p)
				return
			}
		}
	}
	for _, name := range []string{"oui", "mam", "oui36", "iab"} {
		first("var/lib/ieee-data/"+name+".csv", "usr/share/ieee-data/"+name+".csv", "var/lib/ieee-data/"+name+".txt", "usr/share/ieee-data/"+name+".txt")
	}
	first("usr/share/hwdata/oui.txt", "usr/share/misc/oui.txt")
	first("usr/share/hwdata/iab.txt")
	first("usr/share/wireshark/manuf", "etc/manuf")
	first("usr/share/arp-scan/ieee-oui.txt")
	first("usr/share/nmap/nmap-mac-prefixes")
	return found
}
