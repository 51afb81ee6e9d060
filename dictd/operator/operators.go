// SPDX-License-Identifier: MIT

package operator

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"nftdict/dictd/password"
)

// Limits of the file of operators.
const (
	maxFile = 64 << 10
	maxName = 64
)

// ErrInvalid says that a name, or a line of the file, is none.
var ErrInvalid = errors.New("invalid")

// Operator is who may log in.
type Operator struct {
	Name  string
	Write bool   // he may change something
	Hash  string // of his password
}

// line is how an Operator stands in the file: name, right and hash with colons between.
func (o *Operator) line() string {
	right := "read"
	if o.Write {
		right = "write"
	}
	return o.Name + ":" + right + ":" + o.Hash
}

// CheckName reports what is wrong with a name. The error wraps ErrInvalid.
func CheckName(name string) error {
	bad := func(r rune) bool {
		return r == ':' || r == utf8.RuneError || !unicode.IsGraphic(r) || unicode.IsSpace(r)
	}
	if name == "" || len(name) > maxName || name[0] == '#' || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("operator %q: %w: want 1 to %d bytes without blanks and colons", name, ErrInvalid, maxName)
	}
	return nil
}

// Parse reads the text of a file of operators: a line each, empty ones and those that
// begin with # are left out. The error wraps ErrInvalid.
func Parse(text string) ([]Operator, error) {
	var all []Operator
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest, _ := strings.Cut(line, ":")
		right, hash, _ := strings.Cut(rest, ":")
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if err := password.Check(hash); err != nil || (right != "read" && right != "write") {
			return nil, fmt.Errorf("line %d: %w: want NAME:read:HASH or NAME:write:HASH", n, ErrInvalid)
		}
		if slices.ContainsFunc(all, func(o Operator) bool { return o.Name == name }) {
			return nil, fmt.Errorf("line %d: operator %q: %w: is there twice", n, name, ErrInvalid)
		}
		all = append(all, Operator{name, right == "write", hash})
	}
	return all, nil
}

// Read reads a file of operators; one that is not there is empty. It refuses one that
// others may write.
func Read(path string) ([]Operator, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case fi.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%s: others than its owner may write it: chmod 600", path)
	case !fi.Mode().IsRegular() || fi.Size() > maxFile:
		return nil, fmt.Errorf("%s: %w: want a file of at most %d bytes", path, ErrInvalid, maxFile)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(f); err != nil {
		return nil, err
	}
	all, err := Parse(text.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// Write replaces a file of operators; only its owner can read it.
func Write(path string, all []Operator) error {
	var text strings.Builder
	text.WriteString("# Who may log in to the operator's page; dictctl operator password writes it.\n")
	for i := range all {
		text.WriteString(all[i].line() + "\n")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".operators-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text.String())
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// roll is a file of operators as it is now.
type roll struct {
	path string

	mu   sync.Mutex
	seen fileState
	all  []Operator
	err  error
}

// fileState tells one content of a file from another.
type fileState struct {
	modified time.Time
	size     int64
	inode    any
}

// list returns the operators; the file is read again where it has changed.
func (r *roll) list() ([]Operator, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := stateOf(r.path)
	if now != r.seen || now == (fileState{}) {
		r.all, r.err = Read(r.path)
		r.seen = now
	}
	return r.all, r.err
}

// find returns the operator of a name.
func (r *roll) find(name string) (Operator, bool) {
	all, err := r.list()
	if err != nil {
		return Operator{}, false
	}
	i := slices.IndexFunc(all, func(o Operator) bool { return o.Name == name })
	if i < 0 {
		return Operator{}, false
	}
	return all[i], true
}
