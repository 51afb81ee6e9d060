// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"io"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/internal/cli"
	"nftdict/internal/cli/clitest"
)

// kept is a store that a run does not close: the script's next one uses it.
type kept struct{ *dicttest.Mem }

func (kept) Close() error { return nil }

// newMem returns a store with the standard tables.
func newMem() (*dicttest.Mem, error) {
	m := dicttest.NewMem(nil)
	for _, t := range dict.Standard(1000) {
		if err := m.AddTable(t); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// TestScripts runs the scripts on the library and a store in memory; the same
// ones run on the program and the kernel in cmd/dictctl.
func TestScripts(t *testing.T) {
	clitest.Run(t, "testdata/script", func(testscript.T, *testscript.Env) (clitest.Dictctl, error) {
		m, err := newMem()
		if err != nil {
			return nil, err
		}
		return func(dir string, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
			app := &cli.App{
				Stdin: stdin, Stdout: stdout, Stderr: stderr, Dir: dir, Version: "test",
				Open: func(string) (*cli.Backend, error) { return &cli.Backend{Kind: "mem", Store: kept{m}}, nil },
			}
			return app.Run(context.Background(), args)
		}, nil
	})
}
