// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	tty "golang.org/x/term"
)

// editor reads the lines that the user edits on a terminal. nft's own editor does
// not see the user's text before it is parsed, so it is not used.
type editor struct {
	fd       int
	terminal *tty.Terminal
}

// nft's prompts.
const (
	prompt     = "nft> "
	promptMore = ".... "
)

// newEditor returns an editor on the terminal in, which prints to out.
func newEditor(in *os.File, stop int, out io.Writer) *editor {
	fd := int(in.Fd())
	e := &editor{fd: fd}
	e.terminal = tty.NewTerminal(struct {
		io.Reader
		io.Writer
	}{stoppable{fd, stop}, out}, prompt)
	past := &lineHistory{}
	if home, err := os.UserHomeDir(); err == nil {
		for _, line := range history(filepath.Join(home, historyName)) {
			past.Add(line)
		}
	}
	e.terminal.History = past
	return e
}

func (e *editor) readLine(more bool) (line string, err error) {
	state, err := tty.MakeRaw(e.fd)
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	defer func() {
		if back := tty.Restore(e.fd, state); err == nil && back != nil {
			err = fmt.Errorf("terminal: %w", back)
		}
	}()
	if width, height, err := tty.GetSize(e.fd); err == nil && width > 0 && height > 0 {
		_ = e.terminal.SetSize(width, height)
	}
	e.terminal.SetPrompt(prompt)
	if more {
		e.terminal.SetPrompt(promptMore)
	}
	line, err = e.terminal.ReadLine()
	if err != nil && !errors.Is(err, tty.ErrPasteIndicator) {
		return line, err
	}
	return line + "\n", nil
}

// lineHistory is what the user has entered.
type lineHistory struct{ lines []string } // the oldest first

const maxHistory = 1000

// Add implements term.History.
func (h *lineHistory) Add(line string) {
	if line == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	if h.lines = append(h.lines, line); len(h.lines) > maxHistory {
		h.lines = slices.Delete(h.lines, 0, 1)
	}
}

// Len implements term.History.
func (h *lineHistory) Len() int { return len(h.lines) }

// At implements term.History.
func (h *lineHistory) At(i int) string { return h.lines[len(h.lines)-1-i] }
