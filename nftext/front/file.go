// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// open answers nft's opening of a file for reading. Where the file holds dict
// terms nft is given the rewritten text in its place, under the file's name.
func (s *supervisor) open(id uint64, dir int, addr uintptr, flags int) error {
	name, err := memory(s.pid).path(addr)
	if err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY {
		return s.openHistory(id, s.resolve(dir, name))
	}
	if err != nil || isDatabase(name) || isHistory(name) {
		return s.listener.proceed(id)
	}
	fd, err := unix.Open(s.resolve(dir, name), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil { // let nft see the error for itself
		return s.listener.proceed(id)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	text, err := s.text(f, name)
	if err != nil || text == nil {
		if err == nil {
			err = s.listener.proceed(id)
		}
		return err
	}
	m, err := memoryFile(text)
	if err != nil {
		return fmt.Errorf("file %q: %w", name, err)
	}
	defer m.Close()
	return s.listener.give(id, int(m.Fd()))
}

// openHistory answers nft's opening of a file for writing.
func (s *supervisor) openHistory(id uint64, path string) error {
	if s.talk == nil || !isHistory(path) {
		return s.listener.proceed(id)
	}
	f, err := s.talk.keep(path)
	if err != nil {
		return fmt.Errorf("file %q: %w", path, err)
	}
	return s.listener.give(id, int(f.Fd()))
}

// text returns what nft is to read of a file in its place, nil if the file itself.
func (s *supervisor) text(f *os.File, name string) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, fmt.Errorf("file %q: %w", name, err)
	}
	id := fileID{uint64(st.Dev), st.Ino}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		if r, ok := s.texts.take(id); ok {
			return r, nil
		}
		text, err := io.ReadAll(f)
		if err == nil {
			err = s.texts.check(name, text)
		}
		if err != nil || s.texts.plain(text) {
			return nil, err
		}
		return s.texts.open(id, name, text)
	case unix.S_IFIFO: // nft reads it again to show the lines at fault
		if r, ok := s.texts.take(id); ok {
			return r, nil
		}
		text, err := drain(int(f.Fd()), s.stop)
		if err == nil {
			err = s.texts.check(name, text)
		}
		if err != nil || s.texts.plain(text) {
			return text, err
		}
		return s.texts.open(id, name, text)
	}
	return nil, nil
}

// isDatabase reports whether a file holds names of marks, realms, groups, labels or
// processes, one of which may be "dict", and no rules.
func isDatabase(name string) bool {
	if strings.HasPrefix(name, "/proc/") {
		return filepath.Base(filepath.Dir(name)) != "fd"
	}
	return strings.HasSuffix(name, "/connlabel.conf") || filepath.Base(filepath.Dir(name)) == "iproute2"
}

// resolve returns a path of nft's as this process can open it.
func (s *supervisor) resolve(dir int, name string) string {
	proc := fmt.Sprintf("/proc/%d", s.pid)
	switch {
	case name == "/dev/stdin":
		return proc + "/fd/0"
	case strings.HasPrefix(name, "/dev/fd/"):
		return proc + strings.TrimPrefix(name, "/dev")
	case strings.HasPrefix(name, "/proc/self/"):
		return proc + strings.TrimPrefix(name, "/proc/self")
	case filepath.IsAbs(name):
		return name
	case dir == unix.AT_FDCWD:
		return proc + "/cwd/" + name
	}
	return fmt.Sprintf("%s/fd/%d/%s", proc, dir, name)
}

// drain reads a pipe opened without blocking, to its end. A pipe that nobody has
// opened for writing yet is waited for.
func drain(fd, stop int) ([]byte, error) {
	var out bytes.Buffer
	buf := make([]byte, 1<<16)
	for {
		if err := wait(fd, stop); err != nil {
			return nil, err
		}
		n, err := unix.Read(fd, buf)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil:
			return nil, err
		case n == 0:
			return out.Bytes(), nil
		default:
			out.Write(buf[:n])
		}
	}
}

// memoryFile returns a file with that text, to be read from its start.
func memoryFile(text []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("nft", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "nft")
	if _, err = f.Write(text); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
