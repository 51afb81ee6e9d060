// SPDX-License-Identifier: MIT

package ledger

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Records is a file of connections that are over, a line of JSON each. When it has
// its size it becomes FILE.1, and what was that FILE.2, and so on; the oldest goes.
type Records struct {
	path  string
	limit int64

	queue chan Record
	done  chan struct{}
	once  sync.Once

	file *os.File
	out  *bufio.Writer
	size int64

	written, lost atomic.Uint64
	lastError     atomic.Pointer[string]
}

// Bounds of Records: the files kept beside the one that is written, and what may
// wait to be written.
const (
	oldRecords     = 3
	waitingRecords = 8192
	flushRecords   = time.Second
)

// OpenRecords opens a file, or makes it; limit is its size in bytes.
func OpenRecords(path string, limit int64) (*Records, error) {
	r := &Records{path: path, limit: limit, queue: make(chan Record, waitingRecords), done: make(chan struct{})}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	go r.write()
	return r, nil
}

// Add has a connection written. It does not wait: what finds no room is counted and
// lost.
func (r *Records) Add(one *Record) {
	select {
	case r.queue <- *one:
	default:
		r.lost.Add(1)
	}
}

// Close writes what waits. Nothing may be added any more.
func (r *Records) Close() error {
	r.once.Do(func() { close(r.queue) })
	<-r.done
	return nil
}

func (r *Records) open() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("records: %w", err)
	}
	r.file, r.out, r.size = f, bufio.NewWriterSize(f, 64<<10), info.Size()
	return nil
}

// write is the writer; it ends when the queue is closed.
func (r *Records) write() {
	defer close(r.done)
	flush := time.NewTicker(flushRecords)
	defer flush.Stop()
	for {
		select {
		case one, more := <-r.queue:
			if !more {
				r.note(r.out.Flush())
				r.note(r.file.Close())
				return
			}
			r.line(&one)
		case <-flush.C:
			r.note(r.out.Flush())
		}
	}
}

func (r *Records) line(one *Record) {
	b, err := json.Marshal(one)
	if err != nil {
		r.note(err)
		return
	}
	if b = append(b, '\n'); r.size > 0 && r.size+int64(len(b)) > r.limit {
		r.rotate()
	}
	if _, err := r.out.Write(b); err != nil {
		r.lost.Add(1)
		r.note(err)
		r.out.Reset(r.file) // it would go on failing
		return
	}
	r.size += int64(len(b))
	r.written.Add(1)
}

// rotate begins a new file; where that fails the old one goes on.
func (r *Records) rotate() {
	r.note(r.out.Flush())
	for i := oldRecords; i > 0; i-- {
		from := r.path
		if i > 1 {
			from = fmt.Sprintf("%s.%d", r.path, i-1)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", r.path, i)); err != nil && !os.IsNotExist(err) {
			r.note(err)
		}
	}
	old := r.file
	if err := r.open(); err != nil {
		r.note(err)
		r.size = 0 // and is asked again when it has as much more
		return
	}
	r.note(old.Close())
}

func (r *Records) note(err error) {
	if err != nil {
		text := err.Error()
		r.lastError.Store(&text)
	}
}

// RecordStats are the figures of Records.
type RecordStats struct {
	Written   uint64 `json:"written"`
	Lost      uint64 `json:"lost"` // found no room, or could not be written
	LastError string `json:"last_error,omitempty"`
}

// Stats returns the figures; of nil they are zero.
func (r *Records) Stats() RecordStats {
	if r == nil {
		return RecordStats{}
	}
	s := RecordStats{Written: r.written.Load(), Lost: r.lost.Load()}
	if text := r.lastError.Load(); text != nil {
		s.LastError = *text
	}
	return s
}
