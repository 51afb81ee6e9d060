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
func (s *supervisor) open(id uint64, dir int, addr uintptr) error {
	name, err := memory(s.pid).path(addr)
	if err != nil || isDatabase(name) {
		return s.listener.proceed(id)
	}
	fd, err := unix.Open(s.resolve(dir, name), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil { // let nft see the error for itself
		return s.listener.proceed(id)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("file %q: %w", name, err)
	}
	var text []byte
	kind := st.Mode & unix.S_IFMT
	switch kind {
	case unix.S_IFREG:
		text, err = io.ReadAll(f)
	case unix.S_IFIFO:
		if text = s.pipes[name]; text == nil {
			text, err = drain(fd, s.stop)
		}
	default:
		return s.listener.proceed(id)
	}
	if err != nil {
		return err
	}
	original := text
	text, changed, err := s.texts.hide(name, text)
	if err != nil {
		return err
	}
	if !changed && kind == unix.S_IFREG {
		return s.listener.proceed(id)
	}
	if changed && kind == unix.S_IFIFO { // nft reads it again to show the lines at fault
		s.pipes[name] = original
	}
	m, err := memoryFile(text)
	if err != nil {
		return fmt.Errorf("file %q: %w", name, err)
	}
	defer m.Close()
	return s.listener.give(id, int(m.Fd()))
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
