// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dictd/boltfile"
)

// writers has n goroutines call f at the same time.
func writers(n int, f func(i int)) {
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { f(i) })
	}
	wait.Wait()
}

// TestTogether has changes that come at once written at once, each on the disk when
// its caller goes on.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.set("first", ""); err != nil {
		t.Fatal(err)
	}
	// While the disk is busy, others queue up.
	s.line.turn.Lock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		writers(64, func(i int) {
			if err := s.bind(mac(byte(i+1)), fmt.Sprint("user", i)); err != nil {
				t.Error(err)
			}
		})
	}()
	for deadline := time.Now().Add(10 * time.Second); waiting(s) < 64 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if s.boundTo(mac(1)) != "" {
		t.Error("so before it is written")
	}
	written := writesOf(t, s.db)
	s.line.turn.Unlock()
	<-done
	if n := writesOf(t, s.db) - written; n != 1 {
		t.Errorf("%d transactions for what came together", n)
	}
	copied := t.TempDir()
	text, err := os.ReadFile(filepath.Join(dir, "dictd.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(copied, "dictd.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	after := open(t, copied)
	for i := range 64 {
		if name := after.boundTo(mac(byte(i + 1))); name != fmt.Sprint("user", i) {
			t.Errorf("device %d has user %q", i, name)
		}
	}
}

// writesOf returns the number of the last transaction that was written.
func writesOf(t *testing.T, db *boltfile.File) (id int) {
	t.Helper()
	if err := db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return id
}

func waiting(s *State) int {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	return len(s.line.waiting)
}

// TestTogetherIsAsOneByOne has many change the same few users and devices at once,
// and compares the memory with the file.
func TestTogetherIsAsOneByOne(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	writers(8, func(i int) {
		for j := range 40 {
			name, m := fmt.Sprint("user", (i+j)%3), mac(byte(j%4+1))
			var err error
			switch (i + 3*j) % 5 {
			case 0:
				err = s.set(name, fmt.Sprint("group", j))
			case 1, 2:
				err = s.bind(m, name)
			case 3:
				_, err = s.unbind(m)
			case 4:
				_, err = s.remove(name)
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	for m, name := range s.bound.user {
		if _, there := s.group[name]; !there {
			t.Errorf("device %x has user %q, who is none", m, name)
		}
	}
	users, bound := fmt.Sprint(s.group), fmt.Sprint(s.bound.user)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if fmt.Sprint(again.group) != users || fmt.Sprint(again.bound.user) != bound {
		t.Errorf("memory %s %s\nfile   %v %v", users, bound, again.group, again.bound.user)
	}
}

// TestTogetherFails has nothing be so that could not be written.
func TestTogetherFails(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.set("al", "staff"); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("the disk is full")
	err := s.do(&change{touches: []string{"x"}, plan: func() (func(buckets) error, func(), error) {
		return func(b buckets) error { return errors.Join(putUser(b, "eve", ""), bad) }, func() { s.haveUser("eve", "") }, nil
	}})
	if !errors.Is(err, bad) || s.known("eve") {
		t.Errorf("%v, and eve is there: %v", err, s.known("eve"))
	}
	if err := s.set("bo", ""); err != nil || !s.known("bo") {
		t.Errorf("the next one: %v", err)
	}
}
