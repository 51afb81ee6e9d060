// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/dictd/api"
	"nftdict/internal/cli/doctor"
	"nftdict/nftext"
)

// Exit statuses.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
	// ExitInterrupted is a command that a signal ended before it was done, as
	// shells number SIGINT.
	ExitInterrupted = 130
)

// App is dictctl and all that it touches.
type App struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Dir is where relative names of files begin; empty is the process's own.
	Dir string
	// Version is what `dictctl version` prints.
	Version string
	// Colour allows escape sequences on Stdout: it is a terminal that wants them.
	Colour bool
	// Open opens the dictionaries of this network namespace; kind is auto, kmod
	// or ebpf. It is called at most once a run, and not by commands that need no
	// tables.
	Open func(kind string) (*Backend, error)
	// EnterNetns runs the command line args anew in another network namespace,
	// given by name or path. It returns nil where that was done already, and
	// otherwise only on failure. nil refuses the option --netns.
	EnterNetns func(netns string, args []string) error
	// Daemon reaches the daemon at a socket; nil is api.NewClient.
	Daemon func(socket string) Daemon
	// Doctor tries what the machine offers; nil is doctor.Run.
	Doctor func(context.Context) doctor.Report
}

// Backend is an opened store and the compiler of rules that consult it.
type Backend struct {
	Kind     string // kmod, ebpf
	Store    dict.Store
	Compiler nftext.Compiler // nil where the store has none
}

// Run executes one command line, without the program's name, and returns the
// exit status. It has reported errors on Stderr. ctx ends commands that wait.
func (a *App) Run(ctx context.Context, args []string) int {
	c := &ctl{App: a, args: slices.Clone(args)} // cobra writes into its own
	root := c.rootCommand()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !c.understood {
		err = &usageError{err}
	}
	if cerr := c.close(); err == nil {
		err = cerr
	}
	return c.report(cmd, err)
}

// ctl is one run: the App, the options that all commands have, and the store
// once it is open.
type ctl struct {
	*App
	args       []string
	understood bool // the command line, as far as options and the number of words go
	json       bool
	kind       string
	socket     string
	netns      string
	entered    bool // the namespace of netns
	backend    *Backend
}

// report prints what went wrong and returns the exit status.
func (c *ctl) report(cmd *cobra.Command, err error) int {
	var usage *usageError
	var status exitStatus
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		fmt.Fprintf(c.Stderr, "%s: %v\n", cmd.CommandPath(), err)
		fmt.Fprintf(c.Stderr, "usage: %s\nmore:  %s --help\n", usageLine(cmd), cmd.CommandPath())
		return ExitUsage
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(c.Stderr, "dictctl: %s\n", strings.TrimSuffix(line, "\n"))
	}
	if r := remedy(err); r != "" {
		fmt.Fprintf(c.Stderr, "remedy: %s\n", r)
	}
	return ExitFailed
}

// remedy says what helps against an error, "" where its text already does.
func remedy(err error) string {
	var absent *absentError
	var answer *api.Error
	switch {
	case errors.As(err, &absent):
		return daemonRemedy
	case errors.As(err, &answer):
		return answer.Remedy
	case errors.Is(err, dict.ErrPermission):
		return "run it as root"
	case errors.Is(err, dict.ErrFull) && rowAtFault(err):
		return "delete rows, give them a ttl, or make the table with a higher limit"
	}
	return ""
}

// rowAtFault reports whether an error is about a row and not about its fields:
// a table can be full of fields as well, and those never go.
func rowAtFault(err error) bool {
	row := false
	for at := (*dict.At)(nil); errors.As(err, &at); err = at.Err {
		if at.Field != "" {
			return false
		}
		row = row || at.Key != ""
	}
	return row
}

// exitStatus ends the run with a status when all was said already.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError is a command line that was not understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef returns a usage error.
func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// usageLine returns the one line that tells how a command is called.
func usageLine(cmd *cobra.Command) string {
	if cmd.HasParent() {
		return cmd.Parent().CommandPath() + " " + cmd.Use
	}
	return cmd.Use
}

// words is a cobra argument check that demands between lo and hi arguments (hi
// < 0: no end) and names what is missing by the words of the usage line.
func words(lo, hi int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < lo && len(args) < len(names):
			return usagef("%s is missing", names[len(args)])
		case len(args) < lo:
			return usagef("%d more words are missing", lo-len(args))
		case hi >= 0 && len(args) > hi:
			return usagef("%s is one word too many", dict.Quote(args[hi]))
		}
		return nil
	}
}
