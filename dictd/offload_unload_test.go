// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// TestUnloadUnderFlows: the module is not taken from under the rules that have put
// connections into a flowtable, and these stay there, with the daemon and without. When the
// rules are gone it goes, the connections go on; and it can come again.
func TestUnloadUnderFlows(t *testing.T) {
	long(t)
	const module = "nft_dict"
	file := filepath.Join(os.Getenv("NFTDICT_MODULES"), module+".ko")
	need.Feature(t, "kmod", func() error {
		_, err := os.Stat(file) // of guests alone: this machine's stays
		return err
	})
	l := labtest.New(t, lab.Config{})
	begin := func(on *backend.Backend) *running {
		return startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Offload.Follow = true, false })
	}
	d := begin(openKmod(t, l.Gateway))
	get := watching(t, l, 4, "https://www.youtube.com/")
	eventually(t, "it is in the flowtable", func() bool { get(); return inFlowtable(t, l, 443) == 1 })
	remove := func() error { return unix.DeleteModule(module, unix.O_NONBLOCK) }
	stays := func(what string) {
		t.Helper()
		if err := remove(); !errors.Is(err, unix.EWOULDBLOCK) {
			t.Fatalf("%s: the module goes: %v", what, err)
		}
		get()
		if n := inFlowtable(t, l, 443); n != 1 {
			t.Errorf("%s: %d connections are in the flowtable", what, n)
		}
	}
	stays("with the daemon")
	d.stop()
	stays("without the daemon")

	run(t, l.Gateway, "nft", "flush", "ruleset")
	// The kernel frees deleted rules, also of other tests, a moment later.
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := remove()
		if err == nil {
			break
		}
		if time.Since(begin) > 5*time.Minute {
			users, _ := os.ReadFile("/sys/module/" + module + "/refcnt")
			t.Fatalf("no rule is left, yet the module stays: %v, used by %s", err, users)
		}
	}
	load := func() error {
		ko, err := os.Open(file)
		if err != nil {
			return err
		}
		defer ko.Close()
		return unix.FinitModule(int(ko.Fd()), "", 0)
	}
	loaded := false
	defer func() {
		if !loaded {
			_ = load() // for the tests to come; the failure is told already
		}
	}()
	get()
	if n := inFlowtable(t, l, 443); n != 0 {
		t.Errorf("%d connections are in a flowtable that is gone", n)
	}
	if err := load(); err != nil {
		t.Fatal(err)
	}
	loaded = true
	begin(openKmod(t, l.Gateway))
	get()
	next := watching(t, l, 4, "https://www.netflix.com/")
	eventually(t, "the next connection is in the flowtable", func() bool { next(); return inFlowtable(t, l, 443) > 0 })
}
