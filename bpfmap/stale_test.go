// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// TestPrune: the tables of a namespace that is gone go, those of one that
// lives, or of which nobody knows, stay.
func TestPrune(t *testing.T) {
	need.Root(t)
	base := t.TempDir()
	if err := unix.Mount("bpf", base, "bpf", 0, "mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(base, unix.MNT_DETACH) })
	for cookie, inode := range map[uint64]uint64{1: 11, 2: 22, 3: 0} {
		n, err := openNamespace(base, &netns{cookie: cookie, inode: inode})
		if err != nil {
			t.Fatal(err)
		}
		if n.state.secret == (secret{}) {
			t.Error("no secret")
		}
		if err := n.close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(base, "7"), 0o700); err != nil { // half made
		t.Fatal(err)
	}
	if err := pruneBut(base, map[uint64]bool{11: true}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"1": true, "2": false, "3": true, "7": true} {
		if _, err := os.Stat(filepath.Join(base, name)); errors.Is(err, fs.ErrNotExist) == want {
			t.Errorf("directory %s: %v, want there %v", name, err, want)
		}
	}
}

// TestLiveNetns finds a namespace that nothing but a descriptor holds, and
// loses it with that.
func TestLiveNetns(t *testing.T) {
	need.Root(t)
	need.Feature(t, "every process in sight", func() error {
		_, err := liveNetns()
		return err
	})
	type opened struct {
		ns  *netns
		err error
	}
	ch := make(chan opened)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		var ns *netns
		if err == nil {
			ns, err = currentNetns()
		}
		ch <- opened{ns, err}
	}()
	o := <-ch
	if o.err != nil {
		t.Fatal(o.err)
	}
	has := func() bool {
		live, err := liveNetns()
		if err != nil {
			t.Fatal(err)
		}
		return live[o.ns.inode]
	}
	if !has() {
		t.Error("a namespace that is open is taken for gone")
	}
	if err := o.ns.close(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if !has() { // when the thread has ended too
			return
		}
	}
	t.Error("a namespace that is closed is taken for open")
}
