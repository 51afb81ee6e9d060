// SPDX-License-Identifier: MIT

package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// add puts an invented kernel into the cache.
func add(t *testing.T, c *Cache, release string) *Kernel {
	t.Helper()
	dir, _ := c.Release("6.99", release)
	tree := filepath.Join(dir, "lib/modules", release)
	write(t, filepath.Join(tree, "modules.dep"), `kernel/net/c-c.ko: kernel/net/b.ko kernel/lib/a.ko
kernel/net/b.ko: kernel/lib/a.ko
kernel/lib/a.ko:
`)
	write(t, filepath.Join(tree, "modules.builtin"), "kernel/lib/always-there.ko\n")
	k := &Kernel{Name: "6.99", Release: release, Dir: dir, Image: filepath.Join(dir, "boot/vmlinuz"), Tree: tree, Headers: filepath.Join(dir, "usr/src/x")}
	if err := c.Add(k); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestCache(t *testing.T) {
	dir := t.TempDir()
	c := OpenCache(filepath.Join(dir, "one"))
	if _, err := c.Kernel("6.99"); !errors.Is(err, ErrAbsent) {
		t.Fatalf("error %v of an empty cache, want ErrAbsent", err)
	}
	add(t, c, "6.99.1")
	want := add(t, c, "6.99.2")
	got, err := c.Kernel("6.99")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, whole := c.Release("6.99", "6.99.1"); !whole {
		t.Error("the older release is gone")
	}
	moved := filepath.Join(dir, "two")
	if err := os.Rename(c.Dir(), moved); err != nil {
		t.Fatal(err)
	}
	if got, err = OpenCache(moved).Kernel("6.99"); err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(moved, "kernels/6.99/6.99.2/boot/vmlinuz"); got.Image != want {
		t.Errorf("image %q of a moved cache, want %q", got.Image, want)
	}
}

func TestClosure(t *testing.T) {
	k := add(t, OpenCache(t.TempDir()), "6.99.1")
	x, err := k.Modules()
	if err != nil {
		t.Fatal(err)
	}
	mods, err := x.Closure("c_c", "always-there", "b")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mods {
		got = append(got, m.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "c_c"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := x.Closure("absent"); !errors.Is(err, ErrNoModule) {
		t.Errorf("error %v, want ErrNoModule", err)
	}
	for name, want := range map[string]bool{"c-c": true, "always_there": true, "absent": false} {
		if got := x.Has(name); got != want {
			t.Errorf("Has(%q) = %v", name, got)
		}
	}
}

func TestNoTree(t *testing.T) {
	x, err := (&Kernel{Name: "debug"}).Modules()
	if err != nil {
		t.Fatal(err)
	}
	mods, err := x.Closure("nf_tables")
	if err != nil || len(mods) != 0 || !x.Has("nf_tables") {
		t.Errorf("a kernel without modules wants %v, %v loaded", mods, err)
	}
}
