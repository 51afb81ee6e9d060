// SPDX-License-Identifier: MIT

package fetch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	want := []string{"6.1.0-9-amd64", "6.1.0-47-amd64", "6.1.0-056-amd64", "6.12.9+deb12-amd64", "6.12.107+deb12-amd64", "6.12.107+deb13-amd64"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compare)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("6.1.0-9", "6.1.0-10")
	f.Fuzz(func(t *testing.T, a, b string) {
		if x, y := compare(a, b), compare(b, a); x != -y {
			t.Errorf("compare(%q, %q) = %d, the other way %d", a, b, x, y)
		}
		if compare(a, a) != 0 {
			t.Errorf("%q differs from itself", a)
		}
	})
}

func TestUnmet(t *testing.T) {
	fragment := "# a comment\nCONFIG_A=y\nCONFIG_B=5\n# CONFIG_C is not set\n# CONFIG_D is not set\n"
	if got := unmet(fragment, "CONFIG_A=y\nCONFIG_B=5\n# CONFIG_C is not set\n"); got != nil {
		t.Errorf("unmet %q of a configuration that fits", got)
	}
	got := unmet(fragment, "CONFIG_A=m\nCONFIG_D=y\n")
	if diff := cmp.Diff([]string{"CONFIG_A=y", "CONFIG_B=5", "# CONFIG_D is not set"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMirror(t *testing.T) {
	src, dst := t.TempDir(), filepath.Join(t.TempDir(), "work")
	put := func(dir, name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(src, "Kbuild", "obj-m := a.o\n")
	put(src, "a.c", "1")
	put(src, "sub/b.h", "2")
	put(src, "readme.txt", "no source")
	must(t, mirror(src, dst))
	put(dst, "a.o", "built")
	put(dst, "a.mod.c", "built")
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(filepath.Join(dst, "a.c"), old, old))
	must(t, os.RemoveAll(filepath.Join(src, "sub")))
	must(t, mirror(src, dst))

	var got []string
	must(t, filepath.WalkDir(dst, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, strings.TrimPrefix(name, dst+"/"))
		}
		return err
	}))
	if diff := cmp.Diff([]string{"Kbuild", "a.c", "a.mod.c", "a.o"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	st, err := os.Stat(filepath.Join(dst, "a.c"))
	must(t, err)
	if !st.ModTime().Equal(old) {
		t.Error("a file that did not change was written: make would build it again")
	}
}

func TestRelocate(t *testing.T) {
	tmp := t.TempDir()
	file := filepath.Join(tmp, "usr/src/linux-headers-1-amd64/Makefile")
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte("include /usr/src/linux-headers-1-common/Makefile\n"), 0o644))
	must(t, relocate(tmp, "/cache/6"))
	got, err := os.ReadFile(file)
	must(t, err)
	if want := "include /cache/6/usr/src/linux-headers-1-common/Makefile\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(t.Context(), dir, "x")
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, dir, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v of a lock that is held", err)
	}
	unlock()
	unlock, err = lock(t.Context(), dir, "x")
	must(t, err)
	unlock()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
