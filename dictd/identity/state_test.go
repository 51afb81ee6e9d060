// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T, dir string) *State {
	t.Helper()
	s, err := OpenState(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStateSurvives(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	if _, err := os.Stat(dir); err == nil {
		t.Error("a directory for nothing")
	}
	for _, err := range []error{s.set("al", "staff"), s.bind(mac(1), "al"), s.bind(mac(2), "bo"), s.bind(mac(3), "al")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenState(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := s.unbind(mac(3)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.remove("bo"); err != nil {
		t.Fatal(err)
	}
	// What is committed is on the disk: as it stands there now, with no Close.
	text, err := os.ReadFile(filepath.Join(dir, "dictd.db"))
	if err != nil {
		t.Fatal(err)
	}
	killed := t.TempDir()
	if err := os.WriteFile(filepath.Join(killed, "dictd.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	after := open(t, killed)
	if groups, ok := after.groupsOf("al"); !ok || groups != "staff" || after.userOf(mac(1)) != "al" || after.users() != 1 {
		t.Errorf("after: %v", after)
	}
	if after.userOf(mac(2)) != "" || after.userOf(mac(3)) != "" {
		t.Error("what was taken back is there again")
	}
	if fi, err := os.Stat(filepath.Join(dir, "dictd.db")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

func TestStateRefusesRubbish(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dictd.db"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := OpenState(dir); err == nil {
		s.Close()
		t.Error("rubbish is a state")
	}
}
