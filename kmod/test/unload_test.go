// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/internal/cli/doctor"
	"nftdict/internal/need"
)

// version is what the module says of itself.
func version(tb testing.TB, f *family) string {
	tb.Helper()
	p, _ := find(tb, f.tablesTold(tb)[0], attrVersion)
	return p.text()
}

// diagnosed checks what `dictctl doctor` says of the module.
func diagnosed(t *testing.T, state doctor.State, found, follows string) {
	t.Helper()
	for _, c := range doctor.Run(t.Context()).Checks {
		if c.Name != "module nft_dict" {
			continue
		}
		if c.State != state || !strings.Contains(c.Found, found) || !strings.Contains(c.Follows, follows) {
			t.Errorf("the doctor says %+v, want %s, %q and %q", c, state, found, follows)
		}
		return
	}
	t.Error("the doctor does not look for the module")
}

// moduleFile returns the file of a module that the guest was given.
func moduleFile(tb testing.TB, name string) string {
	tb.Helper()
	file := filepath.Join(os.Getenv("NFTDICT_MODULES"), name)
	need.Feature(tb, "kmod", func() error {
		if os.Getenv("NFTDICT_MODULES") == "" {
			return errors.New("NFTDICT_MODULES names no directory")
		}
		_, err := os.Stat(file)
		return err
	})
	return file
}

// insert loads a module.
func insert(tb testing.TB, file string) {
	tb.Helper()
	ko, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer ko.Close()
	if err := unix.FinitModule(int(ko.Fd()), "", 0); err != nil {
		tb.Fatal(err)
	}
}

// TestUnload: the module stays while a rule is there that needs it, and goes
// with all tables, rows and sessions as soon as none is; and it can come again.
func TestUnload(t *testing.T) {
	h := newHost(t)
	file := moduleFile(t, "nft_dict.ko")
	h.standard(t) // with rules that write
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	diagnosed(t, doctor.Present, "version "+version(t, f), "")
	remove := func() error { return unix.DeleteModule("nft_dict", unix.O_NONBLOCK) }
	for range 3 {
		if err := remove(); !errors.Is(err, unix.EWOULDBLOCK) {
			t.Fatalf("the module goes while rules need it: %v, want %v", err, unix.EWOULDBLOCK)
		}
		h.send(t)
	}
	if n := f.count(t, dict.Sessions, attrRows); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
	if err := r.batch(r.without("c", 0)); err != nil {
		t.Fatal(err)
	}
	// The kernel frees deleted rules, also of other tests, a moment later.
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := remove()
		if err == nil {
			break
		}
		if time.Since(begin) > 5*time.Minute {
			users, _ := os.ReadFile("/sys/module/nft_dict/refcnt")
			t.Fatalf("no rule is left, yet the module stays: %v, used by %s", err, users)
		}
	}
	defer func() {
		if _, err := os.Stat("/sys/module/nft_dict"); err != nil {
			insert(t, file)
		}
	}()
	diagnosed(t, doctor.Absent, "not loaded", "make install-kmod")
	if _, err := os.Stat(dir + "all"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the module: %v, want no files", err)
	}
	if _, err := f.do(cmdTableGet, text(attrTable, dict.Sessions)); !errors.Is(err, unix.ENOENT) {
		t.Errorf("without the module: %v, want %v", err, unix.ENOENT)
	}
	if err := r.batch(r.rule("c", markKey(), dictExpr(big(exprOp, opFlush), lookup(exprLookup, "hosts", "", 0, byReg(4))))); err == nil {
		t.Error("a rule was loaded without the module")
	}
	h.send(t)
	insert(t, file)
	again := newFamily(t)
	if tables := again.tablesTold(t); len(tables) != 0 {
		t.Errorf("%d tables came back with the module", len(tables))
	}
	again.table(t, "numbers", dict.KeyMark, 0, field("i", dict.Int))
	if err := again.put(t, "numbers", row(intKey(0), cell("i", dict.IntValue(1)))); err != nil {
		t.Error(err)
	}
	if err := r.batch(r.rule("c", matchOne())); err != nil {
		t.Error(err)
	}
	h.send(t)
	if err := r.batch(r.without("c", 0)); err != nil {
		t.Error(err)
	}
}
