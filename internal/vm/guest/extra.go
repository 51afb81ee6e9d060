// SPDX-License-Identifier: MIT

package guest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// extras are the out-of-tree modules, in memory while the root changes.
type extras struct {
	names   []string // base names, in the order of loading
	content [][]byte
}

func keepExtra(plan *Plan) (*extras, error) {
	e := new(extras)
	for _, file := range plan.Extra {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("extra module: %w", err)
		}
		e.names, e.content = append(e.names, filepath.Base(file)), append(e.content, b)
	}
	return e, nil
}

// files returns the paths of the modules after write.
func (e *extras) files() []string {
	files := make([]string, len(e.names))
	for i, n := range e.names {
		files[i] = filepath.Join(Extra, n)
	}
	return files
}

// write puts the modules below root, into the directory Extra.
func (e *extras) write(root string) error {
	if len(e.names) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(root, Extra), 0o755); err != nil {
		return err
	}
	for i, file := range e.files() {
		if err := os.WriteFile(filepath.Join(root, file), e.content[i], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// load inserts a module; one that is there already is no error.
func load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("load module: %w", err)
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("load module %q: %w", file, err)
	}
	return nil
}

// unload removes a module. Namespaces are destroyed behind the back of those
// who leave them, and each may hold a reference, so it tries until a deadline.
func unload(name string, patience time.Duration) error {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := unix.DeleteModule(name, unix.O_NONBLOCK)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(end) {
			return fmt.Errorf("unload module %q: %w", name, err)
		}
	}
}
