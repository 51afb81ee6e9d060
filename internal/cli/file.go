// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nftdict/dict"
)

// fileOptions are those of -f.
type fileOptions struct {
	name  string // "-" is standard input
	check bool
}

// applyFile carries out the statements of a file, once all of them were
// understood.
func (c *ctl) applyFile(ctx context.Context, o fileOptions) error {
	text, name, err := c.readFile(o.name)
	if err != nil {
		return err
	}
	s, err := c.store()
	if err != nil {
		return err
	}
	p := newPlan(s)
	read := p.read
	if isJSON(text) {
		read = p.readJSON
	}
	faults := read(text)
	if len(faults) > 0 {
		c.printFaults(name, faults)
		fmt.Fprintln(c.Stderr, "nothing was changed")
		return exitStatus(ExitFailed)
	}
	if !o.check {
		faults = p.apply(ctx, c.keepsLimit)
		c.recall(ctx, p.rewritten)
	}
	c.printFaults(name, faults)
	if c.json {
		err = c.printJSON(map[string]any{"statements": p.statements, "done": p.done, "refused": len(faults)})
	}
	if len(faults) > 0 {
		fmt.Fprintf(c.Stderr, "%s: %d of %d statements done, %d refused, %d not tried\n",
			name, p.done, p.statements, len(faults), p.statements-p.done-len(faults))
		return exitStatus(ExitFailed)
	}
	return err
}

// readFile returns a file's text, and its name for messages.
func (c *ctl) readFile(name string) (text []byte, shown string, err error) {
	if name == "-" {
		text, err = io.ReadAll(c.Stdin)
		return text, "stdin", err
	}
	text, err = os.ReadFile(c.path(name))
	return text, name, err
}

// path returns where the file of a name is.
func (c *ctl) path(name string) string {
	if c.Dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}

// maxFaults is how many faults of a file are printed.
const maxFaults = 50

// printFaults prints one line a fault: file:line:column: what.
func (c *ctl) printFaults(name string, faults []error) {
	for i, f := range faults {
		if i == maxFaults {
			fmt.Fprintf(c.Stderr, "%s: and %d more\n", name, len(faults)-maxFaults)
			break
		}
		fmt.Fprintf(c.Stderr, "%s:%v\n", name, f)
	}
	for _, f := range faults {
		if r := remedy(f); r != "" {
			fmt.Fprintf(c.Stderr, "remedy: %s\n", r)
			return
		}
	}
}

// placed returns err with a place, its own if it has one.
func placed(at dict.Pos, err error) error {
	var there *dict.TextError
	if errors.As(err, &there) {
		return there
	}
	return &dict.TextError{Pos: at, Err: err}
}
