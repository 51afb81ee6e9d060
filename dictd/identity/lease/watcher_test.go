// SPDX-License-Identifier: MIT

package lease

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Both ways in which servers write, and a directory that comes later. (That is
// found by the minute's reading, which here is asked for.)
func TestWatcher(t *testing.T) {
	dir := t.TempDir()
	path, late := filepath.Join(dir, "leases"), filepath.Join(dir, "late", "leases")
	var mu sync.Mutex
	var names string
	w, err := Watch(Config{Paths: []string{path, late}, Handle: func(all []Lease) {
		mu.Lock()
		defer mu.Unlock()
		var n []string
		for _, l := range all {
			n = append(n, l.Hostname)
		}
		names = strings.Join(n, " ")
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-done, w.Close()); err != nil {
			t.Error(err)
		}
	}()
	wait := func(want string) {
		t.Helper()
		start := time.Now()
		for {
			mu.Lock()
			got := names
			mu.Unlock()
			if got == want {
				t.Logf("%q after %v", want, time.Since(start))
				return
			}
			if time.Since(start) > 20*time.Second {
				t.Fatalf("leases of %q, want %q", got, want)
			}
			time.Sleep(time.Millisecond)
		}
	}
	line := func(n int, name string) string { return fmt.Sprintf("0 02:00:00:00:00:01 10.0.0.%d %s *\n", n, name) }
	for w.Stats().Reads == 0 {
		time.Sleep(time.Millisecond)
	}
	write(t, path, line(1, "one"))
	wait("one")
	// In place, in pieces, as dnsmasq does.
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, name := range []string{"uno", "due"} {
		if _, err := f.WriteString(line(i+1, name)); err != nil {
			t.Fatal(err)
		}
	}
	wait("uno due")
	// By another file in its place, as Kea does.
	write(t, path+".new", line(1, "three"))
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	wait("three")
	if err := os.Mkdir(filepath.Dir(late), 0o700); err != nil {
		t.Fatal(err)
	}
	w.Read()
	write(t, late, line(9, "late"))
	wait("three late")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wait("late")
	// A fifo in its place is an error, waits for nobody, and leaves what was known.
	write(t, path, line(1, "before"))
	wait("before late")
	if err := errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	w.Read()
	if s := w.Stats(); s.Leases < 1 {
		t.Errorf("counted %+v", s)
	}
}

// What a link leads to is watched as well, be it the file's or its directory's.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.Mkdir(at("etc"), 0o700), os.Mkdir(at("run"), 0o700), os.Symlink("../run/leases", at("etc/leases")), os.Symlink("run", at("var"))); err != nil {
		t.Fatal(err)
	}
	write(t, at("run/leases"), "")
	for _, path := range []string{at("etc/leases"), at("var/leases")} {
		w, err := Watch(Config{Paths: []string{path}, Handle: func([]Lease) {}})
		if err != nil {
			t.Fatal(err)
		}
		w.Read()
		for _, name := range []string{"run/other", "run/leases"} {
			write(t, at(name), "0 02:00:00:00:00:01 10.0.0.1 one *\n")
			if err := w.notify.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			buf, concerns := make([]byte, 16<<10), false
			for {
				n, err := w.notify.Read(buf)
				if err != nil {
					break
				}
				now, _ := w.concerns(buf[:n])
				concerns = concerns || now
			}
			if want := name == "run/leases"; concerns != want {
				t.Errorf("%s: that %s was written concerns it: %v, want %v", path, name, concerns, want)
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A file that is being written in place is not read in the middle: what it said
// before holds.
func TestHalfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	var told []int
	var mu sync.Mutex
	w, err := Watch(Config{Paths: []string{path}, Handle: func(all []Lease) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, len(all))
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const one, two = "0 02:00:00:00:00:01 10.0.0.1 one *\n", "0 02:00:00:00:00:02 10.0.0.2 two *\n"
	for _, step := range []struct {
		text  string
		want  int
		again bool
	}{{one + two, 2, false}, {"", 2, true}, {one + two[:20], 2, true}, {one, 1, false}} {
		write(t, path, step.text)
		if again := w.Read(); again != step.again || told[len(told)-1] != step.want {
			t.Errorf("%q: told %v, again %v", step.text, told, again)
		}
	}
	write(t, path, one+two[:20]) // and nobody ends the line
	for range maxParts {
		w.Read()
	}
	if w.Read() {
		t.Error("it is waited for for ever")
	}

	// Pieces that come one after the other are read when they are all there.
	write(t, path, one+two)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	reads := w.Stats().Reads
	go func() { done <- w.Run(ctx) }()
	for w.Stats().Reads == reads {
		time.Sleep(time.Millisecond)
	}
	mu.Lock()
	told = nil
	mu.Unlock()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, piece := range []string{one, two[:10], two[10:]} {
		if _, err := f.WriteString(piece); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settle / 4)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		mu.Lock()
		n := len(told)
		mu.Unlock()
		if n > 0 {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, n := range told {
		if n != 2 {
			t.Errorf("told %v", told)
		}
	}
}
