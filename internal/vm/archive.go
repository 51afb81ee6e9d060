// SPDX-License-Identifier: MIT

package vm

import (
	"bufio"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/internal/vm/cpio"
	"nftdict/internal/vm/guest"
	"nftdict/internal/vm/kernel"
)

// ErrNotStatic is returned for an executable that would need a dynamic linker
// where there is none.
var ErrNotStatic = errors.New("not a static executable")

// archive makes the boot archive of a run, in memory. The caller closes it.
func (m *Machine) archive(c Command) (_ *os.File, err error) {
	fd, err := unix.MemfdCreate("boot archive", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("boot archive: %w", err)
	}
	f := os.NewFile(uintptr(fd), "boot archive")
	defer func() {
		if err != nil {
			f.Close()
			err = fmt.Errorf("boot archive: %w", err)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	a := cpio.NewWriter(w)
	if err := m.fill(a, c); err != nil {
		return nil, err
	}
	return f, errors.Join(a.Close(), w.Flush())
}

// fill writes the entries of the boot archive.
func (m *Machine) fill(a *cpio.Writer, c Command) error {
	plan := guest.Plan{Argv: c.Argv, Env: c.Env, Dir: c.Dir, Host: m.Host, Tree: m.Kernel.Tree, Release: m.Kernel.Release, Patience: m.Patience}
	if plan.Patience == 0 {
		plan.Patience = 20 * time.Second
	}
	init := m.Init
	if init == "" {
		var err error
		if init, err = self(); err != nil {
			return err
		}
	}
	// The kernel opens /dev/console for process 1 before anything is mounted.
	if err := a.Char("dev/console", 0o600, 5, 1); err != nil {
		return err
	}
	if err := isStatic(init); err != nil {
		return err
	}
	if err := add(a, init, "init", 0o755); err != nil {
		return err
	}
	modules, err := m.modules()
	if err != nil {
		return err
	}
	for _, mod := range modules {
		at := path.Join("/boot-modules", mod.Name+".ko")
		if err := add(a, mod.File, at, 0o644); err != nil {
			return err
		}
		plan.Boot = append(plan.Boot, at)
	}
	for _, file := range m.Extra {
		at := path.Join("/extra-modules", filepath.Base(file))
		if err := add(a, file, at, 0o644); err != nil {
			return err
		}
		plan.Extra = append(plan.Extra, at)
	}
	if len(m.Extra) > 0 {
		plan.Env = append(plan.Env[:len(plan.Env):len(plan.Env)], guest.EnvExtra+"="+guest.Extra)
	}
	if !m.Host && len(c.Argv) > 0 {
		for _, p := range m.Pack {
			if p.As != c.Argv[0] {
				continue
			}
			if err := isStatic(p.File); err != nil {
				return err
			}
		}
	}
	for _, p := range m.Pack {
		if err := addTree(a, p.File, p.As); err != nil {
			return err
		}
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	return a.File(guest.PlanFile, 0o600, text)
}

// modules returns what to load: what the machine itself needs, then what was
// asked for.
func (m *Machine) modules() ([]kernel.Module, error) {
	index, err := m.Kernel.Modules()
	if err != nil {
		return nil, err
	}
	names := []string{"virtio_pci", "virtio_console"}
	for _, sum := range []string{"crc32c_generic", "crc32c_cryptoapi"} { // asked for by name, not by a symbol
		if index.Has(sum) {
			names = append(names, sum)
		}
	}
	if m.Host {
		names = append(names, "9pnet_virtio", "9p", "overlay")
	}
	wanted := m.Modules
	if wanted == nil {
		wanted = Networking()
	}
	for _, name := range wanted {
		if index.Has(name) {
			names = append(names, name)
		}
	}
	return index.Closure(names...)
}

// isStatic refuses an executable that asks for a dynamic linker, which an
// archive does not have.
func isStatic(file string) error {
	f, err := elf.Open(file)
	if err != nil {
		return fmt.Errorf("%q: %w", file, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%q: %w (build it with CGO_ENABLED=0)", file, ErrNotStatic)
		}
	}
	return nil
}

func add(a *cpio.Writer, file, as string, perm uint32) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return a.File(as, perm, content)
}

// addTree adds a file or a directory with all below it.
func addTree(a *cpio.Writer, file, as string) error {
	return filepath.WalkDir(file, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(file, name)
		if err != nil {
			return err
		}
		at := path.Join(as, filepath.ToSlash(rel))
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return a.Dir(at)
		case info.Mode()&os.ModeSymlink != 0 && name != file:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			return a.Link(at, target)
		default:
			return add(a, name, at, uint32(info.Mode().Perm()))
		}
	})
}
