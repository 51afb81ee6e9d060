// SPDX-License-Identifier: MIT

package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"nftdict/internal/vm/kernel"
)

// ErrNoModules is returned when a build succeeds and makes no module.
var ErrNoModules = errors.New("the build made no module")

// Build builds the out-of-tree modules in the directory source for a kernel
// and returns their files, which lie in dir/NAME. The build takes place in a
// copy there, so that the source stays clean and several kernels can be built
// for at once; only what has changed is built again. What make prints goes to
// w. Arguments are passed to make.
func Build(ctx context.Context, k *kernel.Kernel, source, dir string, w io.Writer, args ...string) ([]string, error) {
	out, err := filepath.Abs(filepath.Join(dir, k.Name))
	if err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, filepath.Dir(out), k.Name)
	if err != nil {
		return nil, fmt.Errorf("build for kernel %q: %w", k.Name, err)
	}
	defer unlock()
	work := filepath.Join(out, "work")
	if err := mirror(source, work); err != nil {
		return nil, fmt.Errorf("build for kernel %q: %w", k.Name, err)
	}
	// Type information would need pahole, and nothing reads it.
	argv := append([]string{"-C", k.Headers, "M=" + work, "-s", "-j" + strconv.Itoa(runtime.NumCPU()), "CONFIG_DEBUG_INFO_BTF_MODULES="}, args...)
	cmd := exec.CommandContext(ctx, "make", append(argv, "modules")...)
	cmd.Stdout, cmd.Stderr = w, w
	cmd.Env = append(os.Environ(), "LC_ALL=C", "MAKEFLAGS=", "MAKELEVEL=")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build for kernel %q: make: %w", k.Name, err)
	}
	return collect(work, out)
}

// collect links the modules below work into out and returns their paths.
func collect(work, out string) ([]string, error) {
	old, err := filepath.Glob(filepath.Join(out, "*.ko"))
	if err != nil {
		return nil, err
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			return nil, err
		}
	}
	var files []string
	err = filepath.WalkDir(work, func(name string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".ko" {
			return err
		}
		to := filepath.Join(out, filepath.Base(name))
		files = append(files, to)
		return os.Link(name, to)
	})
	if err == nil && len(files) == 0 {
		err = ErrNoModules
	}
	return files, err
}

// mirror copies the files of source that differ from those in to, so that
// make sees what has changed. What source no longer has is removed, but not
// what the build made: that has no name a source would have.
func mirror(source, to string) error {
	seen := map[string]bool{}
	err := filepath.WalkDir(source, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		at := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(at, 0o755)
		}
		if !isSource(name) {
			return nil
		}
		seen[at] = true
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if old, err := os.ReadFile(at); err == nil && string(old) == string(content) {
			return nil
		}
		return os.WriteFile(at, content, 0o644)
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(to, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isSource(name) && !seen[name] {
			return os.Remove(name)
		}
		return err
	})
}

// isSource tells the files a module is made of from those a build leaves.
func isSource(name string) bool {
	switch filepath.Base(name) {
	case "Kbuild", "Makefile", "Kconfig":
		return true
	}
	switch filepath.Ext(name) {
	case ".h", ".S", ".sh", ".mk":
		return true
	case ".c":
		match, err := filepath.Match("*.mod.c", filepath.Base(name))
		return err == nil && !match
	}
	return false
}
