// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
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

// TestLiveNetns finds a namespace that a process is in, then one that nothing
// but a descriptor holds, and loses it with that.
func TestLiveNetns(t *testing.T) {
	need.Root(t)
	sleep := need.Program(t, "sleep")
	need.Feature(t, "every process in sight", func() error {
		_, err := liveNetns()
		return err
	})
	cmd := exec.Command(sleep, "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	defer end()
	file, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	has := func() bool {
		live, err := liveNetns()
		if err != nil {
			t.Fatal(err)
		}
		return live[st.Ino]
	}
	if !has() {
		t.Error("a namespace with a process is taken for gone")
	}
	end()
	if !has() {
		t.Error("a namespace that is open is taken for gone")
	}
	file.Close()
	if has() {
		t.Error("a namespace that is closed is taken for open")
	}
}
