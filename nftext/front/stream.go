// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// stream passes on what nft writes to a pipe as it comes, and tells when all is
// passed on that was written.
type stream struct {
	from *os.File
	to   io.Writer

	mu  sync.Mutex // held while something is under way from the pipe to the writer
	buf []byte
}

// run passes on everything up to the end.
func (s *stream) run() error {
	conn, err := s.from.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Read(func(fd uintptr) bool {
		failed = s.drain(int(fd))
		return failed != unix.EAGAIN
	})
	if failed == io.EOF {
		return nil
	}
	return errors.Join(err, failed)
}

// drain passes on what the pipe holds. The error is EAGAIN when it holds no more,
// io.EOF at the end.
func (s *stream) drain(fd int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buf == nil {
		s.buf = make([]byte, 1<<16)
	}
	for {
		n, err := unix.Read(fd, s.buf)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return io.EOF
		default:
			if _, err := s.to.Write(s.buf[:n]); err != nil {
				return err
			}
		}
	}
}

// flush passes on what was written to the pipe before.
func (s *stream) flush() error {
	conn, err := s.from.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = s.drain(int(fd)) })
	if failed == io.EOF || failed == unix.EAGAIN {
		failed = nil
	}
	if f, ok := s.to.(interface{ flush() error }); ok && failed == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		failed = f.flush()
	}
	return errors.Join(err, failed)
}
