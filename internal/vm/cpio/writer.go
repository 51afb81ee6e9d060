// SPDX-License-Identifier: MIT

package cpio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strings"
)

// File modes, as the archive (and stat) spells them.
const (
	modeDir  = 0o040000
	modeFile = 0o100000
	modeLink = 0o120000
	modeChar = 0o020000
)

const (
	magic   = "070701"
	trailer = "TRAILER!!!"
	fields  = 13
	header  = len(magic) + 8*fields
)

// ErrTooLarge is returned for an entry that the format cannot hold.
var ErrTooLarge = errors.New("cpio: larger than 4 GiB")

// Writer writes one archive. Names are relative to the root; the directories
// above an entry are added as they are needed. A Writer is not safe for
// concurrent use; the first error of the underlying writer sticks.
type Writer struct {
	w    io.Writer
	ino  uint32
	off  int64
	dirs map[string]bool
	err  error
}

// NewWriter returns a Writer of an archive onto w. It does not own w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, dirs: map[string]bool{".": true, "/": true}}
}

// Dir adds a directory, and those above it.
func (w *Writer) Dir(name string) error {
	name = clean(name)
	if name == "" || w.dirs[name] {
		return w.err
	}
	if err := w.above(name); err != nil {
		return err
	}
	w.dirs[name] = true
	return w.entry(name, modeDir|0o755, 0, 0, nil)
}

// File adds a regular file of the permissions perm.
func (w *Writer) File(name string, perm uint32, content []byte) error {
	name = clean(name)
	if int64(len(content)) > math.MaxUint32 {
		return fmt.Errorf("%q: %w", name, ErrTooLarge)
	}
	if err := w.above(name); err != nil {
		return err
	}
	return w.entry(name, modeFile|perm&0o7777, 0, 0, content)
}

// Link adds a symbolic link.
func (w *Writer) Link(name, target string) error {
	name = clean(name)
	if err := w.above(name); err != nil {
		return err
	}
	return w.entry(name, modeLink|0o777, 0, 0, []byte(target))
}

// Char adds a character device.
func (w *Writer) Char(name string, perm, major, minor uint32) error {
	name = clean(name)
	if err := w.above(name); err != nil {
		return err
	}
	return w.entry(name, modeChar|perm&0o7777, major, minor, nil)
}

// Close ends the archive and pads it, so that another may follow.
func (w *Writer) Close() error {
	if err := w.entry(trailer, 0, 0, 0, nil); err != nil {
		return err
	}
	return w.pad(512)
}

func (w *Writer) above(name string) error {
	if dir := path.Dir(name); !w.dirs[dir] {
		return w.Dir(dir)
	}
	return w.err
}

func (w *Writer) entry(name string, mode, major, minor uint32, content []byte) error {
	w.ino++
	links, ino := uint32(1), w.ino
	if name == trailer {
		ino = 0
	}
	head := make([]byte, 0, header+len(name)+4)
	head = append(head, magic...)
	for _, v := range [fields]uint32{
		ino, mode, 0, 0, links, 0, uint32(len(content)), 0, 0, major, minor, uint32(len(name) + 1), 0,
	} {
		head = fmt.Appendf(head, "%08X", v)
	}
	head = append(head, name...)
	head = append(head, 0)
	w.write(head)
	if err := w.pad(4); err != nil {
		return err
	}
	w.write(content)
	return w.pad(4)
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(b)
	w.off += int64(n)
	w.err = err
}

func (w *Writer) pad(to int64) error {
	if over := w.off % to; over != 0 {
		w.write(make([]byte, to-over))
	}
	return w.err
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }
