// SPDX-License-Identifier: MIT

package identity

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"nftdict/dict"
	"nftdict/dictd/boltfile"
)

func open(t *testing.T, dir string) *State {
	t.Helper()
	s := OpenState(dir)
	if err := s.Broken(); err != nil {
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
	if err := OpenState(dir).Broken(); !errors.Is(err, boltfile.ErrInUse) {
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
	if groups, ok := after.groupsOf("al"); !ok || groups != "staff" || after.boundTo(mac(1)) != "al" || after.users() != 1 {
		t.Errorf("after: %v", after)
	}
	if after.boundTo(mac(2)) != "" || after.boundTo(mac(3)) != "" {
		t.Error("what was taken back is there again")
	}
	if fi, err := os.Stat(filepath.Join(dir, "dictd.db")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

// A file that cannot be read stays as it is, and what it said is what rows say.
func TestStateBroken(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dictd.db")
	s := open(t, dir)
	if err := errors.Join(s.set("al", "staff"), s.bind(mac(1), "al"), s.bind(mac(2), "bo"), s.Close()); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) { c.State = open(t, dir) })
	r.hear("10.0.0.1", mac(1), 0)
	if err := r.cfg.State.Close(); err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	torn := append(slices.Clone(sound[:4*page]), make([]byte, len(sound)-4*page)...)
	for i := 2 * page; i < 4*page; i++ {
		torn[i] = 0xff
	}
	for what, text := range map[string][]byte{"rubbish": []byte("rubbish"), "torn": torn, "cut": sound[:2*page], "half": sound[:len(sound)/2]} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		state := OpenState(dir)
		if state.Broken() == nil {
			t.Errorf("%s is a state", what)
			state.Close()
			continue
		}
		next := newRig(t, func(c *Config) { c.Store, c.State, c.Clock = r.store, state, r.clock.Now })
		next.store = r.store
		next.Flush()
		next.Tend()
		next.Flush()
		next.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 username=al")
		next.want(dict.Users, "al: usergroups=staff", "bo:")
		for _, err := range []error{next.Bind(mac(3), "al"), next.SetUser("al", nil), next.DeleteUser("al"), next.Unbind(mac(1))} {
			if !errors.Is(err, ErrNoState) {
				t.Errorf("%s: changed: %v", what, err)
			}
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, text) {
			t.Errorf("%s: the file has changed: %v", what, err)
		}
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A daemon that was killed between the file and the rows takes back later what is
// gone, and what others wrote stays.
func TestTombstones(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(c *Config) { c.State = open(t, dir) })
	for _, err := range []error{r.SetUser("al", []string{"staff"}), r.Bind(mac(1), "al"), r.Bind(mac(2), "bo")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	others := dict.Row{Key: mustKey(t, "zoe"), Cells: []dict.Cell{{Field: "usergroups", Value: dict.MustString("kids")}}}
	if err := r.store.Put(dict.Users, others); err != nil {
		t.Fatal(err)
	}
	if _, err := r.cfg.State.remove("al"); err != nil { // and killed
		t.Fatal(err)
	}
	if _, err := r.cfg.State.unbind(mac(2)); err != nil {
		t.Fatal(err)
	}
	if err := r.cfg.State.Close(); err != nil {
		t.Fatal(err)
	}
	next := newRig(t, func(c *Config) { c.Store, c.State = r.store, open(t, dir) })
	next.store = r.store
	next.Flush()
	next.want(dict.Users, "bo:", "zoe: usergroups=kids")
	next.want(dict.Devices)
	// What is done with leaves the file.
	if err := next.cfg.State.Close(); err != nil {
		t.Fatal(err)
	}
	if last := open(t, dir); len(last.gone) > 0 || last.users() != 1 {
		t.Errorf("left: %v", last.gone)
	}
}
