// SPDX-License-Identifier: MIT

package lease

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Config of a Watcher.
type Config struct {
	Paths []string // files; none need exist, nor their directories
	// Handle is called with all leases of all files, by one goroutine at a time.
	Handle func([]Lease)
	// Failed is called when a file cannot be read; what it said before holds. May
	// be nil.
	Failed func(error)
}

// Times of a Watcher.
const (
	// settle is how long a file has to be let alone before it is read: servers write
	// in several pieces, some into the file that is there. It is not waited for
	// longer than enough; where reading takes long it is rest times as long.
	settle = 20 * time.Millisecond
	enough = 80 * time.Millisecond
	rest   = 20
	// again is how often all is read anyway: leases end, and directories appear.
	again = time.Minute
)

// Watcher tells of leases whenever their files change.
type Watcher struct {
	cfg    Config
	notify *os.File // inotify

	mu     sync.Mutex // held while files are read, and for what follows
	took   time.Duration
	dirs   map[int32][]string // one may have several names
	real   map[string]string  // of paths that are links, where they lead
	leases map[string][]Lease // by path, as read last

	parts map[string]int // readings in a row that met a part of a file

	count, refused, reads atomic.Uint64
}

// Watch prepares a Watcher. Close must follow.
func Watch(cfg Config) (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("leases: inotify: %w", err)
	}
	return &Watcher{cfg: cfg, notify: os.NewFile(uintptr(fd), "inotify"), dirs: make(map[int32][]string), real: make(map[string]string), leases: make(map[string][]Lease), parts: make(map[string]int)}, nil
}

// Close releases the Watcher.
func (w *Watcher) Close() error { return w.notify.Close() }

// maxParts is how often a file that ends within a line is taken for one that is
// being written: what was read of it before holds that long.
const maxParts = 10

// Read reads all files and tells of their leases. It returns whether one should be
// read again soon.
func (w *Watcher) Read() (again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watchDirs()
	now := time.Now()
	defer func() { w.took = time.Since(now) }()
	var all []Lease
	total := uint64(0)
	for _, path := range w.cfg.Paths {
		c, err := read(path, now)
		switch {
		case err == nil && c.part && len(w.leases[path]) > 0 && w.parts[path] < maxParts:
			w.parts[path]++
			again = true
		case err == nil:
			w.leases[path], w.parts[path] = c.leases, 0
			total += uint64(c.refused)
		case w.cfg.Failed != nil:
			w.cfg.Failed(err)
		}
		all = append(all, w.leases[path]...)
	}
	w.reads.Add(1)
	w.refused.Store(total)
	w.count.Store(uint64(len(all)))
	w.cfg.Handle(all)
	return again
}

// watchDirs watches the directories that there are, of files and of what files that
// are links lead to. The kernel gives a directory that is watched the same number
// again.
func (w *Watcher) watchDirs() {
	raw, err := w.notify.SyscallConn()
	if err != nil {
		return
	}
	clear(w.real)
	for _, path := range w.cfg.Paths {
		w.watchDir(raw, filepath.Dir(path))
		if real, err := filepath.EvalSymlinks(path); err == nil && real != filepath.Clean(path) {
			w.real[path] = real
			w.watchDir(raw, filepath.Dir(real))
		}
	}
}

func (w *Watcher) watchDir(raw syscall.RawConn, dir string) {
	const events = unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_CREATE | unix.IN_DELETE | unix.IN_ONLYDIR
	_ = raw.Control(func(fd uintptr) { // what is not there yet is tried again
		n, err := unix.InotifyAddWatch(int(fd), dir, events)
		if err == nil && !slices.Contains(w.dirs[int32(n)], dir) {
			w.dirs[int32(n)] = append(w.dirs[int32(n)], dir)
		}
	})
}

// Run tells of leases until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { w.notify.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 16<<10)
	for {
		deadline, due := time.Now().Add(again), false
		if w.Read() {
			deadline = time.Now().Add(settle)
		}
		var last time.Time // when it must be read, once something has been written
		for !due || time.Now().Before(deadline) {
			if err := w.notify.SetReadDeadline(deadline); err != nil {
				return fmt.Errorf("leases: %w", err)
			}
			if ctx.Err() != nil { // its end may have been set before the deadline
				return nil
			}
			n, err := w.notify.Read(buf)
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return fmt.Errorf("leases: %w", err)
			}
			if concerns, pause := w.concerns(buf[:n]); concerns {
				now := time.Now()
				if !due {
					due, last = true, now.Add(max(pause, enough))
				}
				if deadline = now.Add(pause); deadline.After(last) {
					deadline = last
				}
			}
		}
	}
}

// concerns reports whether events are about the files, and how long to wait then.
func (w *Watcher) concerns(b []byte) (bool, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.touched(b), max(settle, rest*w.took)
}

// touched reports whether events are about the files; w.mu is held.
func (w *Watcher) touched(b []byte) bool {
	for len(b) >= unix.SizeofInotifyEvent {
		e := readEvent(b)
		if e.mask&unix.IN_Q_OVERFLOW != 0 {
			return true
		}
		if e.size > len(b)-unix.SizeofInotifyEvent {
			return true
		}
		if e.mask&unix.IN_IGNORED != 0 { // the directory is gone
			delete(w.dirs, e.watch)
			return true
		}
		name := string(b[unix.SizeofInotifyEvent : unix.SizeofInotifyEvent+e.size])
		b = b[unix.SizeofInotifyEvent+e.size:]
		for _, dir := range w.dirs[e.watch] {
			file := filepath.Join(dir, cString(name))
			if slices.ContainsFunc(w.cfg.Paths, func(path string) bool {
				return file == filepath.Clean(path) || file == w.real[path] || dir == filepath.Dir(path) && slices.Contains(parts(path), file)
			}) {
				return true
			}
		}
	}
	return false
}

// Stats are a Watcher's figures.
type Stats struct {
	Leases  uint64 `json:"leases"`  // alive now
	Refused uint64 `json:"refused"` // lines that were not understood, or too many, in the files as they are
	Reads   uint64 `json:"reads"`
}

// Stats returns the figures.
func (w *Watcher) Stats() Stats { return Stats{w.count.Load(), w.refused.Load(), w.reads.Load()} }
