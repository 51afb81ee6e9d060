// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/internal/need"
)

// needBPF asks for what the package needs of the machine.
func needBPF(tb testing.TB) {
	tb.Helper()
	need.Root(tb)
	need.Feature(tb, "bpf", func() error {
		_, err := os.Stat("/sys/kernel/btf/vmlinux")
		return err
	})
}

// testDir returns a directory in a bpffs mounted for the test alone.
func testDir(tb testing.TB) string {
	tb.Helper()
	needBPF(tb)
	dir := tb.TempDir()
	if err := unix.Mount("bpf", dir, "bpf", 0, "mode=0700"); err != nil {
		tb.Fatalf("mount bpffs: %v", err)
	}
	tb.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			tb.Errorf("unmount bpffs: %v", err)
		}
	})
	return dir
}

// openDir opens a store under dir that is closed with the test.
func openDir(tb testing.TB, dir string) *bpfmap.Store {
	tb.Helper()
	s, err := bpfmap.Open(bpfmap.Options{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// placed is a store that knows where it is.
type placed struct {
	*bpfmap.Store
	dir string
}

func TestConformance(t *testing.T) {
	needBPF(t)
	dicttest.Run(t,
		func(tb testing.TB) dict.Store {
			dir := testDir(tb)
			return placed{openDir(tb, dir), dir}
		},
		dicttest.Shared(
			func(s dict.Store) string { return s.(placed).dir },
			func(dir string) (dict.Store, error) { return bpfmap.Open(bpfmap.Options{Dir: dir}) },
		))
}

// TestKilledChange: what a process did to the schema before it was killed,
// others see at once.
func TestKilledChange(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s, other := openDir(t, dir), openDir(t, dir)
	if err := s.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	if err := other.Put("t", testRow(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.DieAdding("t", dict.Field{Name: "new", Type: dict.Int}); err != nil {
		t.Fatal(err)
	}
	if got, err := other.Table("t"); err != nil || got.Index("new") < 0 {
		t.Errorf("a field was added: got %v, %v", got, err)
	}
	if err := s.DieDeleting("t"); err != nil {
		t.Fatal(err)
	}
	if err := other.Put("t", testRow(2)); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("put to a table that is gone: %v, want %v", err, dict.ErrNotExist)
	}
	if err := other.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	if got, err := dict.Flush(s, "t"); err != nil || got != 0 {
		t.Errorf("the new table: %v rows, %v, want none", got, err)
	}
}

// TestErrorSaysItOnce: a row that wants more fields than there may be is told
// where, once.
func TestErrorSaysItOnce(t *testing.T) {
	s := openDir(t, testDir(t))
	if err := s.AddTable(dict.Table{Name: "op", Key: dict.KeyInt, Open: true, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	for i := range dict.MaxFields + 1 {
		err := s.Put("op", dict.Row{Key: dict.IntKey(1), Cells: []dict.Cell{{Field: fmt.Sprint("g", i), Value: dict.IntValue(1)}}})
		switch {
		case i < dict.MaxFields && err != nil:
			t.Fatal(err)
		case i == dict.MaxFields:
			if want := `set op 1: field "g256": table is full: 256 fields`; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
}
