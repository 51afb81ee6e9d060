// SPDX-License-Identifier: MIT

package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Module is a module of a kernel, unpacked.
type Module struct {
	Name string // as lsmod prints it, with underscores
	File string // an ELF file
}

// Index is what modules.dep and modules.builtin tell of a kernel.
type Index struct {
	kernel  *Kernel
	files   map[string]string   // name -> path below the tree
	needs   map[string][]string // name -> names, the nearest first
	builtin map[string]bool
}

// ErrNoModule is returned for a module that the kernel has neither as a file
// nor built in.
var ErrNoModule = errors.New("no such module")

// Modules reads the kernel's index. A kernel without modules has everything
// built in.
func (k *Kernel) Modules() (*Index, error) {
	x := &Index{kernel: k, files: map[string]string{}, needs: map[string][]string{}, builtin: map[string]bool{}}
	if k.Tree == "" {
		return x, nil
	}
	err := lines(filepath.Join(k.Tree, "modules.dep"), func(line string) error {
		file, rest, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("line %q: no colon", line)
		}
		name := ModuleName(file)
		x.files[name] = file
		for _, f := range strings.Fields(rest) {
			x.needs[name] = append(x.needs[name], ModuleName(f))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("modules of kernel %q: %w", k.Name, err)
	}
	err = lines(filepath.Join(k.Tree, "modules.builtin"), func(line string) error {
		x.builtin[ModuleName(line)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("modules of kernel %q: %w", k.Name, err)
	}
	return x, nil
}

// ModuleName returns the name of the module in a file: foo_bar for
// a/foo-bar.ko.xz.
func ModuleName(file string) string {
	base, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return strings.ReplaceAll(base, "-", "_")
}

// Has reports whether the kernel has the module, as a file or built in.
func (x *Index) Has(name string) bool {
	name = ModuleName(name)
	return x.kernel.Tree == "" || x.builtin[name] || x.files[name] != ""
}

// Closure returns the modules to load, in order, so that all of those named
// are there. What is built in is left out.
func (x *Index) Closure(names ...string) ([]Module, error) {
	var order []Module
	var seen []string
	var add func(name string) error
	add = func(name string) error {
		if x.kernel.Tree == "" || x.builtin[name] || slices.Contains(seen, name) {
			return nil
		}
		file, ok := x.files[name]
		if !ok {
			return fmt.Errorf("module %q of kernel %q: %w", name, x.kernel.Name, ErrNoModule)
		}
		seen = append(seen, name)
		needs := x.needs[name]
		for i := len(needs) - 1; i >= 0; i-- {
			if err := add(needs[i]); err != nil {
				return err
			}
		}
		plain, err := x.kernel.plain(file)
		if err != nil {
			return fmt.Errorf("module %q of kernel %q: %w", name, x.kernel.Name, err)
		}
		order = append(order, Module{Name: name, File: plain})
		return nil
	}
	for _, name := range names {
		if err := add(ModuleName(name)); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// plain returns a module's file unpacked. It unpacks each once, beside the
// tree: a guest that decompresses is slow, and Debian's 6.1 cannot.
func (k *Kernel) plain(file string) (string, error) {
	packed := filepath.Join(k.Tree, file)
	name, ok := strings.CutSuffix(filepath.Base(file), ".xz")
	if !ok {
		return packed, nil
	}
	out := filepath.Join(k.Dir, "plain", name)
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	content, err := exec.Command("xz", "-dc", packed).Output()
	if err != nil {
		return "", fmt.Errorf("xz -dc %s: %w", packed, err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", err
	}
	return out, replace(out, content)
}

func lines(file string, each func(string) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if line := strings.TrimSpace(s.Text()); line != "" {
			if err := each(line); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return s.Err()
}
