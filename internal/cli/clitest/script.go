// SPDX-License-Identifier: MIT

package clitest

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Dictctl runs one command line in dir and returns the exit status.
type Dictctl func(dir string, stdin io.Reader, stdout, stderr io.Writer, args []string) int

// Run runs all scripts of a directory, each on the dictctl that open makes for
// it: with tables of its own, the standard ones, that go when the script ends.
func Run(t *testing.T, dir string, open func(t testscript.T, e *testscript.Env) (Dictctl, error)) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			run, err := open(e.T(), e)
			e.Values[key{}] = &state{run: run}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dictctl": dictctl,
			"status":  status,
			"input":   input,
		},
		UpdateScripts:      os.Getenv("UPDATE_SCRIPTS") != "",
		RequireUniqueNames: true,
	})
}

// state is what a script keeps between its commands.
type state struct {
	run   Dictctl
	last  int    // exit status
	input string // standard input of the next dictctl
}

// key is where a script's values keep its state.
type key struct{}

func of(ts *testscript.TestScript) *state { return ts.Value(key{}).(*state) }

func dictctl(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	in := s.input
	s.input = ""
	s.last = s.run(ts.MkAbs("."), strings.NewReader(in), ts.Stdout(), ts.Stderr(), args)
	if (s.last != 0) != neg {
		ts.Fatalf("dictctl %s: exit status %d", strings.Join(args, " "), s.last)
	}
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: status N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := of(ts).last; (got == want) == neg {
		ts.Fatalf("exit status is %d", got)
	}
}

func input(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: input FILE")
	}
	text, err := os.ReadFile(filepath.Join(ts.MkAbs("."), args[0]))
	ts.Check(err)
	of(ts).input = string(text)
}
