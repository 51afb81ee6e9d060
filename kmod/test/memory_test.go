// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/internal/need"
)

const maxBytes = "/sys/module/nft_dict/parameters/max_bytes"

// bound sets the most memory of a namespace's rows until the test ends.
func bound(tb testing.TB, bytes int) {
	tb.Helper()
	old, err := os.ReadFile(maxBytes)
	if err == nil {
		err = os.WriteFile(maxBytes, []byte(strconv.Itoa(bytes)), 0)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.WriteFile(maxBytes, old, 0); err != nil {
			tb.Error(err)
		}
	})
}

// fat is a row of about 16 KiB.
func fat(n uint32) []byte {
	var cells [][]byte
	for i := range 120 {
		cells = append(cells, cell(fmt.Sprintf("s%d", i), dict.MustString(strings.Repeat("x", 128))))
	}
	return row(intKey(n), cells...)
}

// fatTable makes a table for such rows.
func fatTable(tb testing.TB, f *family, name string) {
	tb.Helper()
	var fields [][]byte
	for i := range 120 {
		fields = append(fields, field(fmt.Sprintf("s%d", i), dict.String))
	}
	f.table(tb, name, dict.KeyInt, 0, append(fields, field("n", dict.Int64))...)
}

// TestMemoryBound: rows of a namespace take no more memory than is granted, in
// all of its tables together, whoever writes; what is refused is counted and
// says what to do, and takes no room. Another namespace has its own.
func TestMemoryBound(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	const most = 400 << 10
	bound(t, most)
	fatTable(t, f, "a")
	fatTable(t, f, "b")
	f.table(t, "counters", dict.KeyIPv4, 0, field("n", dict.Int64))
	stored := uint64(0)
	var err error
	for n := uint32(0); err == nil && n < 1000; n++ {
		if err = f.put(t, []string{"a", "b"}[n%2], fat(n)); err == nil {
			stored++
		}
	}
	var r *refused
	if !errors.As(err, &r) || r.errno != unix.ENOBUFS || !strings.Contains(r.text, "max_bytes") {
		t.Fatalf("after %d rows: %v, want %v and the remedy", stored, err, unix.ENOBUFS)
	}
	sum := f.count(t, "a", attrBytes) + f.count(t, "b", attrBytes)
	if sum > most || sum < most-40<<10 || stored < 10 {
		t.Errorf("%d rows take %d bytes of %d", stored, sum, most)
	}
	if rows, refused := f.count(t, "a", attrRows)+f.count(t, "b", attrRows), f.count(t, "a", attrRefused)+f.count(t, "b", attrRefused); rows != stored || refused != 1 {
		t.Errorf("%d rows and %d refused, want %d and 1", rows, refused, stored)
	}

	// Rules meet the same end, and count it.
	for n := uint32(0); ; n++ {
		if err := f.put(t, "a", row(intKey(10000+n), cell("n", dict.Int64Value(1)))); err != nil {
			if !errors.Is(err, unix.ENOBUFS) {
				t.Fatal(err)
			}
			break
		}
	}
	h.chain(t)
	if err := h.rules(h.compile(t, "dict counters ip saddr n add 1")); err != nil {
		t.Fatal(err)
	}
	h.send(t)
	if rows, refused := f.count(t, "counters", attrRows), f.count(t, "counters", attrRefused); rows != 0 || refused == 0 {
		t.Errorf("a rule made %d rows, and %d were refused", rows, refused)
	}

	ns := home(t)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	other := newFamily(t)
	fatTable(t, other, "a")
	if err := other.put(t, "a", fat(1)); err != nil {
		t.Errorf("in another namespace: %v", err)
	}
	if err := join(ns); err != nil {
		t.Fatal(err)
	}
	f.must(t, cmdTableDel, text(attrTable, "b"))
	if err := f.put(t, "a", fat(1)); err != nil {
		t.Errorf("after the other table has gone: %v", err)
	}
	h.send(t)
	if rows := f.count(t, "counters", attrRows); rows != 1 {
		t.Errorf("a rule made %d rows when there was memory again, want 1", rows)
	}
}

// TestMemoryGroup: rows are charged to the memory cgroup of who writes them.
func TestMemoryGroup(t *testing.T) {
	newHost(t)
	f := newFamily(t)
	root := t.TempDir()
	need.Feature(t, "memcg", func() error {
		if err := unix.Mount("none", root, "cgroup2", 0, ""); err != nil {
			return err
		}
		t.Cleanup(func() { unix.Unmount(root, unix.MNT_DETACH) })
		return os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+memory"), 0)
	})
	group := filepath.Join(root, "nftdict-test")
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Fatal(err)
	}
	enter := func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
	}
	if err := enter(group); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(enter(root), os.Remove(group)); err != nil {
			t.Error(err)
		}
	})
	slab := func() int64 {
		t.Helper()
		stat, err := os.ReadFile(filepath.Join(group, "memory.stat"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(stat)) {
			if rest, ok := strings.CutPrefix(line, "slab_unreclaimable "); ok {
				n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
		t.Fatalf("memory.stat tells no slab_unreclaimable:\n%s", stat)
		return 0
	}
	fatTable(t, f, "a")
	before := slab()
	const rows = 500
	for n := range uint32(rows) {
		if err := f.put(t, "a", fat(n)); err != nil {
			t.Fatal(err)
		}
	}
	took := int64(f.count(t, "a", attrBytes))
	if got := slab() - before; got < took*9/10 || got > took*2 {
		t.Errorf("rows of %d bytes charged %d to the group of who wrote them", took, got)
	}
	f.must(t, cmdTableDel, text(attrTable, "a"))
}
