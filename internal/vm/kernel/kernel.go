// SPDX-License-Identifier: MIT

package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Kernel is one kernel in the cache. Paths are absolute.
type Kernel struct {
	Name    string // as asked for: "6.12"
	Release string // as `uname -r` prints it
	Dir     string // where it lies in the cache
	Image   string // the bzImage
	Tree    string // the directory with modules.dep; "" where nothing is modular
	Headers string // the directory that `make -C` builds modules in
}

// manifest is kernel.json; its paths are relative to the kernel's directory,
// so that a cache can be moved.
type manifest struct {
	Release string `json:"release"`
	Image   string `json:"image"`
	Tree    string `json:"tree,omitempty"`
	Headers string `json:"headers"`
}

// ErrAbsent is returned for a kernel that the cache does not hold.
var ErrAbsent = errors.New("not in the cache")

// Cache is a directory of kernels.
type Cache struct{ dir string }

// DefaultDir returns $NFTDICT_CACHE, or "nftdict" under the user's cache
// directory.
func DefaultDir() (string, error) {
	if dir := os.Getenv("NFTDICT_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache: %w", err)
	}
	return filepath.Join(base, "nftdict"), nil
}

// OpenCache returns the cache in dir, which need not exist.
func OpenCache(dir string) *Cache { return &Cache{dir: dir} }

// Open returns the default cache.
func Open() (*Cache, error) {
	dir, err := DefaultDir()
	if err != nil {
		return nil, err
	}
	return OpenCache(dir), nil
}

// Dir is where the cache lies.
func (c *Cache) Dir() string { return c.dir }

// Kernel returns the kernel of that name: the one added last, ErrAbsent if
// there is none.
func (c *Cache) Kernel(name string) (*Kernel, error) {
	dir, err := filepath.EvalSymlinks(c.current(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("kernel %q: %w", name, ErrAbsent)
	}
	if err != nil {
		return nil, fmt.Errorf("kernel %q: %w", name, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		return nil, fmt.Errorf("kernel %q: %w", name, err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("kernel %q: %s: %w", name, dir, err)
	}
	k := &Kernel{Name: name, Release: m.Release, Dir: dir, Image: filepath.Join(dir, m.Image), Headers: filepath.Join(dir, m.Headers)}
	if m.Tree != "" {
		k.Tree = filepath.Join(dir, m.Tree)
	}
	return k, nil
}

// Release says where a kernel of that name and release belongs, and whether
// it is there.
func (c *Cache) Release(name, release string) (dir string, whole bool) {
	dir = filepath.Join(c.dir, "kernels", name, release)
	_, err := os.Stat(filepath.Join(dir, "kernel.json"))
	return dir, err == nil
}

// Add makes k, whose files lie in k.Dir as Release named it, the kernel that
// Kernel(k.Name) returns from now on.
func (c *Cache) Add(k *Kernel) error {
	var m manifest
	m.Release = k.Release
	for _, p := range []struct {
		from string
		to   *string
	}{{k.Image, &m.Image}, {k.Tree, &m.Tree}, {k.Headers, &m.Headers}} {
		if p.from == "" {
			continue
		}
		rel, err := filepath.Rel(k.Dir, p.from)
		if err != nil {
			return fmt.Errorf("add kernel %q: %w", k.Name, err)
		}
		*p.to = rel
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return fmt.Errorf("add kernel %q: %w", k.Name, err)
	}
	if err := replace(filepath.Join(k.Dir, "kernel.json"), append(text, '\n')); err != nil {
		return fmt.Errorf("add kernel %q: %w", k.Name, err)
	}
	link := c.current(k.Name)
	tmp := fmt.Sprintf("%s.%d", link, os.Getpid())
	_ = os.Remove(tmp)
	if err := os.Symlink(filepath.Base(k.Dir), tmp); err != nil {
		return fmt.Errorf("add kernel %q: %w", k.Name, err)
	}
	if err := os.Rename(tmp, link); err != nil {
		return fmt.Errorf("add kernel %q: %w", k.Name, err)
	}
	return nil
}

func (c *Cache) current(name string) string {
	return filepath.Join(c.dir, "kernels", name, "current")
}

// replace writes a file whole or not at all.
func replace(name string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once it has been renamed
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
