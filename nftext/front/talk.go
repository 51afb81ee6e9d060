// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// talk is the conversation of nft -i. Whenever nft reads its standard input, all
// that it has to say about the command before is said, and it gets the user's next
// one with placeholders. Messages about the user's text come from here, and nft
// never sees such a command.
type talk struct {
	texts  *texts
	lines  lineReader
	out    *output
	stderr io.Writer

	rest    []byte // what nft has yet to read
	ended   bool
	said    [][2]string // lines that were rewritten: as nft read them, as the user wrote them
	history *os.File    // what nft writes as its history
	path    string      // where to
}

// lineReader reads the user's lines.
type lineReader interface {
	// readLine returns a line and its end, if it has one. more tells that it goes on
	// with the one before. The error is io.EOF at the end.
	readLine(more bool) (string, error)
}

// read returns at most size bytes for nft, none at the end.
func (k *talk) read(size int) ([]byte, error) {
	for len(k.rest) == 0 && !k.ended {
		if err := k.out.flush(); err != nil {
			return nil, err
		}
		k.texts.terms.forget()
		if err := k.next(); err != nil {
			return nil, err
		}
	}
	n := min(size, len(k.rest))
	b := k.rest[:n]
	k.rest = k.rest[n:]
	return b, nil
}

// next takes the user's next command.
func (k *talk) next() error {
	var raw, command strings.Builder
	for more := false; ; more = true {
		line, err := k.lines.readLine(more)
		raw.WriteString(line)
		k.ended = err != nil
		text := strings.TrimSuffix(line, "\n")
		part, goesOn := strings.CutSuffix(text, `\`)
		command.WriteString(part)
		if err != nil && err != io.EOF {
			return err
		}
		if err != nil || !goesOn {
			break
		}
	}
	shown := command.String()
	hidden, changed, err := k.texts.hide("", []byte(shown))
	var said *diagnosis
	switch {
	case errors.As(err, &said):
		_, err = io.WriteString(k.stderr, said.text)
		return err
	case err != nil:
		return err
	case !changed:
		k.rest = []byte(raw.String())
		return nil
	}
	k.said = append(k.said, [2]string{string(hidden), shown})
	k.rest = append(hidden, '\n')
	return nil
}

// historyName is the file in the user's home that nft keeps its history in.
const historyName = ".nft.history"

// keep returns the file that nft is to write its history to, in the place of path.
func (k *talk) keep(path string) (*os.File, error) {
	if k.history != nil {
		k.history.Close()
	}
	f, err := memoryFile(nil)
	k.history, k.path = f, path
	return f, err
}

// isHistory reports whether nft keeps its history in a file.
func isHistory(name string) bool { return filepath.Base(name) == historyName }

// close writes the history with the user's own lines.
func (k *talk) close() error {
	if k.history == nil {
		return nil
	}
	defer k.history.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.NewSectionReader(k.history, 0, 1<<30)); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	text := b.String()
	for _, said := range k.said {
		text = strings.ReplaceAll(text, said[0], said[1])
		text = strings.ReplaceAll(text, escaped(said[0]), escaped(said[1]))
	}
	// nft says nothing either where it cannot be written.
	_ = os.WriteFile(k.path, []byte(text), 0o666)
	return nil
}

// escaped returns a line as libedit writes it into its history.
func escaped(line string) string {
	return strings.NewReplacer(`\`, `\\`, " ", `\040`, "\t", `\011`).Replace(line)
}

// unescaped is the reverse of escaped.
func unescaped(line string) string {
	return strings.NewReplacer(`\\`, `\`, `\040`, " ", `\011`, "\t").Replace(line)
}

// history returns the lines of the history file, the oldest first.
func history(path string) (lines []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	lines = strings.Split(strings.TrimSpace(string(text)), "\n")
	if lines[0] != "_HiStOrY_V2_" {
		return lines
	}
	for i := range lines {
		lines[i] = unescaped(lines[i])
	}
	return lines[1:]
}

// pipedLines reads lines from a file that is no terminal, or any other reader.
type pipedLines struct {
	from io.Reader
	buf  []byte
}

func (p *pipedLines) readLine(bool) (string, error) {
	for {
		if i := bytes.IndexByte(p.buf, '\n'); i >= 0 {
			line := string(p.buf[:i+1])
			p.buf = p.buf[i+1:]
			return line, nil
		}
		piece := make([]byte, 4096)
		n, err := p.from.Read(piece)
		p.buf = append(p.buf, piece[:n]...)
		if err != nil {
			line := string(p.buf)
			p.buf = nil
			return line, err
		}
	}
}

// stoppable reads a file until stop is readable.
type stoppable struct {
	fd, stop int
}

func (s stoppable) Read(b []byte) (int, error) {
	for {
		if err := wait(s.fd, s.stop); err != nil {
			return 0, err
		}
		n, err := unix.Read(s.fd, b)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
