// SPDX-License-Identifier: MIT

package quota

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"nftdict/dictd/identity"
)

// A file that is damaged within, or cut, costs what it held: the daemon starts, and
// rows go on.
func TestDamagedState(t *testing.T) {
	for what, damage := range map[string]func([]byte) []byte{
		"cut to its head":   func(b []byte) []byte { return b[:2*os.Getpagesize()] },
		"cut in the middle": func(b []byte) []byte { return b[:3*os.Getpagesize()] },
		"overwritten": func(b []byte) []byte {
			for i := 2 * os.Getpagesize(); i < len(b); i++ {
				b[i] = 0xff
			}
			return b
		},
		"pages of zeros": func(b []byte) []byte { clear(b[2*os.Getpagesize():]); return b },
	} {
		r := newRig(t, "2026-05-05T10:00:00Z")
		r.users = []identity.User{{Name: "alice"}}
		r.start(daily())
		r.charge("users", "alice", "quota_remaining", -100)
		r.pass(time.Second)
		r.state.close()
		path := filepath.Join(r.dir, "quota.db")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(b), 0o600); err != nil {
			t.Fatal(err)
		}
		r.start(daily())
		r.want(what, "users", "alice", "quota_remaining", "900")
		r.charge("users", "alice", "quota_remaining", -100)
		r.pass(time.Second)
		if text := r.Failure(); text != "" {
			t.Errorf("%s: %s", what, text)
		}
		r.start(daily())
		r.want(what+", and again", "users", "alice", "quota_remaining", "800")
	}
}

// A file that cannot be opened now is no damaged one: it stays where it is.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "quota.db")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := openState(dir)
	if err == nil {
		t.Errorf("opened, %v", s.close())
	}
	if fi, err := os.Stat(path); err != nil || !fi.IsDir() {
		t.Errorf("%v, %v", fi, err)
	}
}
