// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"nftdict/dictd/operator"
	"nftdict/dictd/password"
	"nftdict/internal/cli"
)

func TestOperator(t *testing.T) {
	file := filepath.Join(t.TempDir(), "operators")
	run := func(status int, in string, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		app := &cli.App{Stdin: strings.NewReader(in), Stdout: &out, Stderr: &errs}
		if got := app.Run(t.Context(), append(args, "--file", file)); got != status {
			t.Errorf("%q: exit status %d, want %d: %s", args, got, status, errs.String())
		}
		return out.String()
	}
	run(cli.ExitDone, "secret one\n", "operator", "password", "ada", "--write")
	run(cli.ExitDone, "secret two", "operator", "password", "bob")
	run(cli.ExitDone, "secret three\r\nmore\n", "operator", "password", "bob")
	run(cli.ExitFailed, "\n", "operator", "password", "eve")
	run(cli.ExitFailed, "x\n", "operator", "password", "a:b")
	run(cli.ExitUsage, "", "operator", "password")
	if out := run(cli.ExitDone, "", "operator", "list"); out != "ada  write\nbob  read\n" {
		t.Errorf("list: %q", out)
	}
	if out := run(cli.ExitDone, "", "-j", "operator", "list"); out != `{"operators":[{"name":"ada","write":true},{"name":"bob","write":false}]}`+"\n" {
		t.Errorf("json: %q", out)
	}
	all, err := operator.Read(file)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	if ok, err := password.Verify(all[1].Hash, "secret three"); !ok || err != nil {
		t.Errorf("bob's password: %v, %v", ok, err)
	}
	run(cli.ExitFailed, "", "operator", "remove", "eve")
	run(cli.ExitDone, "", "operator", "remove", "ada")
	if out := run(cli.ExitDone, "", "operator", "list"); out != "bob  read\n" {
		t.Errorf("list: %q", out)
	}
}
