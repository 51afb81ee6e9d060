// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// fileID tells files apart, by whatever name they are opened.
type fileID struct{ dev, ino uint64 }

// file is a regular file that was read.
type file struct {
	id   fileID
	text []byte
}

// maxIncludes is how deep files may include each other, for nft as well.
const maxIncludes = 16

var errDepth = errors.New("include nested too deeply")

// include makes ready the texts that an include statement names. What cannot be
// read is left to nft, which says why.
func (x *texts) include(pattern string) error {
	if len(x.names) > maxIncludes {
		return errDepth
	}
	paths := x.files(pattern)
	x.torn = x.torn || len(paths) == 0 && !strings.ContainsAny(pattern, "*?[")
	for _, path := range paths {
		f, err := readFile(path)
		if err != nil {
			x.torn = true
			continue
		}
		out, _, err := x.hideNested(path, f.text)
		if err != nil {
			return err
		}
		x.ready[f.id] = append(x.ready[f.id], out)
	}
	return nil
}

// take returns the text made ready of a file that nft opens. The last one stays:
// nft reads a file again to show the lines at fault.
func (x *texts) take(id fileID) ([]byte, bool) {
	list := x.ready[id]
	if len(list) == 0 {
		return nil, false
	}
	if len(list) > 1 {
		x.ready[id] = list[1:]
	}
	return list[0], true
}

// files returns the paths that nft opens for an include of pattern, in the order
// in which their texts follow each other.
func (x *texts) files(pattern string) []string {
	if pattern == "" {
		return nil
	}
	if strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "./") || strings.HasPrefix(pattern, "../") {
		return glob(pattern)
	}
	dirs := append([]string{"/etc"}, x.options.paths...)
	for _, dir := range dirs {
		if list := glob(dir + "/" + pattern); len(list) > 0 {
			return list
		}
	}
	return nil
}

// glob is glob(3): a wildcard at the start of a name does not match a dot.
func glob(pattern string) (paths []string) {
	list, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	hidden := strings.HasPrefix(filepath.Base(pattern), ".")
	for _, p := range list {
		if hidden || !strings.HasPrefix(filepath.Base(p), ".") {
			paths = append(paths, p)
		}
	}
	if strings.HasPrefix(pattern, "./") { // Glob cleans it away
		for i, p := range paths {
			if !strings.HasPrefix(p, "./") {
				paths[i] = "./" + p
			}
		}
	}
	return paths
}

// readFile reads a regular file. Anything else it does not open: what writes to a
// pipe would take this process for the reader that it waits for.
func readFile(path string) (f file, err error) {
	at, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return f, err
	}
	defer unix.Close(at)
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil {
		return f, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return f, fmt.Errorf("%s: %w: not a regular file", path, unix.EINVAL)
	}
	f.id = fileID{uint64(st.Dev), st.Ino}
	f.text, err = os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", at))
	return f, err
}

// includesOf returns what src may include: also what only looks like it.
func includesOf(src []byte) (patterns []string) {
	if !bytes.Contains(src, []byte("include")) {
		return nil
	}
	for _, m := range regexp.MustCompile(`include[ \t\\\n]*"([^"\n]*)"`).FindAllSubmatch(src, -1) {
		patterns = append(patterns, string(m[1]))
	}
	return patterns
}

// assigns reports where src assigns to variables, or seems to; nil if it does not.
func assigns(src []byte) []int {
	if !bytes.Contains(src, []byte("define")) {
		return nil
	}
	return regexp.MustCompile(`(re)?define[ \t\\\n]+[^ \t\n=]+[ \t\\\n]*=|undefine[ \t\\\n]`).FindIndex(src)
}

// included returns said, a message about a text that the one called name includes
// at a place, with the lines that nft prints before such: the innermost first.
func included(said, name string, src []byte, at *TextError) string {
	if name == "" {
		return said
	}
	const first, more = "In file included from ", "                 from "
	end := 0 // of the lines that are there
	head := first
	for strings.HasPrefix(said[end:], head) {
		end += strings.IndexByte(said[end:], '\n') + 1
		head = more
	}
	off := min(max(at.Offset, 0), len(src))
	start := bytes.LastIndexByte(src[:off], '\n') + 1
	to := len(src)
	if i := bytes.IndexByte(src[off:], '\n'); i >= 0 {
		to = off + i + 1
	}
	line := bytes.Count(src[:off], []byte("\n")) + 1
	return said[:end] + fmt.Sprintf("%s%s:%d:%d-%d:\n", head, name, line, off-start+1, to-start) + said[end:]
}
