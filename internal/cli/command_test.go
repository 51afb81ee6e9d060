// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/internal/cli"
	"nftdict/internal/cli/doctor"
)

// newApp returns an app on a store, and what it writes.
func newApp(s dict.Store) (app *cli.App, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return &cli.App{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr,
		Open: func(string) (*cli.Backend, error) { return &cli.Backend{Kind: "mem", Store: s}, nil },
	}, stdout, stderr
}

func TestOpenFails(t *testing.T) {
	app, _, stderr := newApp(nil)
	app.Open = func(kind string) (*cli.Backend, error) {
		return nil, fmt.Errorf("backend %s: %w", kind, dict.ErrPermission)
	}
	for _, args := range [][]string{{"list"}, {"set", "users", "bob"}, {"add", "users", "bob", "quota_size", "1"}, {"get", "users", "bob"}, {"flush", "users"}, {"monitor"}, {"table", "list"}, {"-f", "/dev/null"}} {
		stderr.Reset()
		args = append([]string{"--backend", "ebpf"}, args...)
		if status := app.Run(t.Context(), args); status != cli.ExitFailed {
			t.Errorf("%v: exit status %d", args, status)
		}
		want := "dictctl: open the dictionaries: backend ebpf: permission denied\nremedy: run it as root"
		if !strings.HasPrefix(stderr.String(), want) {
			t.Errorf("%v: %s, want %s", args, stderr, want)
		}
	}
}

func TestNetns(t *testing.T) {
	m, err := newMem()
	if err != nil {
		t.Fatal(err)
	}
	app, _, stderr := newApp(kept{m})
	var got []string
	app.EnterNetns = func(netns string, args []string) error {
		got = append(got, netns+": "+strings.Join(args, " "))
		return nil
	}
	if status := app.Run(t.Context(), []string{"--netns", "blue", "list", "users"}); status != 0 {
		t.Fatalf("exit status %d, %s", status, stderr)
	}
	if len(got) != 1 || got[0] != "blue: --netns blue list users" {
		t.Errorf("entered %q", got)
	}
	app.EnterNetns = func(string, []string) error { return errors.New("no such namespace") }
	if status := app.Run(t.Context(), []string{"--netns", "blue", "list"}); status != cli.ExitFailed || !strings.Contains(stderr.String(), "no such namespace") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	app.EnterNetns = nil
	if status := app.Run(t.Context(), []string{"--netns", "blue", "list"}); status != cli.ExitUsage {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}

func TestDoctor(t *testing.T) {
	report := doctor.Report{Kernel: "6.0", Works: true,
		Checks: []doctor.Check{
			{Name: "maps", State: doctor.Present, Found: "here"},
			{Name: "devices", State: doctor.Present, Found: "lan0, \x1b[2Jwan"}, // root chose it
			{Name: "queue", State: doctor.Absent, Found: "no such file", Follows: "no packets"},
		},
		Roles: []doctor.Role{
			{Name: "dictionaries", Ways: []doctor.Way{{Name: "ebpf", Works: true}, {Name: "kmod", Missing: []string{"module"}}}},
			{Name: "rules", Ways: []doctor.Way{{Works: true}}},
		},
	}
	app, stdout, stderr := newApp(nil)
	app.Doctor = func(context.Context) doctor.Report { return report }
	want := `kernel 6.0

present  maps                            here
present  devices                         lan0, \u001b[2Jwan
absent   queue                           no such file
         -> no packets

dictionaries              by ebpf
rules                     works

This machine has all that is needed.
`
	if status := app.Run(t.Context(), []string{"doctor"}); status != cli.ExitDone || stdout.String() != want {
		t.Errorf("exit status %d, %s\n%s\nwant\n%s", status, stderr, stdout, want)
	}
	report.Works = false
	report.Roles[0].Ways[0] = doctor.Way{Name: "ebpf", Missing: []string{"maps", "programs"}}
	stdout.Reset()
	app.Colour = true
	if status := app.Run(t.Context(), []string{"doctor"}); status != cli.ExitFailed ||
		!strings.Contains(stdout.String(), "\x1b[31mimpossible\x1b[0m: ebpf lacks maps, programs; kmod lacks module\n") {
		t.Errorf("exit status %d, %s\n%s", status, stderr, stdout)
	}
	stdout.Reset()
	if status := app.Run(t.Context(), []string{"-j", "doctor"}); status != cli.ExitFailed || !strings.Contains(stdout.String(), `"name":"queue","state":"absent","found":"no such file","follows":"no packets"`) {
		t.Errorf("exit status %d, %s\n%s", status, stderr, stdout)
	}
}

// TestLargeTable is listed without being held in memory, in no order.
func TestLargeTable(t *testing.T) {
	m, err := newMem()
	if err != nil {
		t.Fatal(err)
	}
	for id := range uint32(3) {
		if err := m.Put(dict.Sessions, dict.Row{Key: dict.CtID(id)}); err != nil {
			t.Fatal(err)
		}
	}
	app, stdout, stderr := newApp(large{kept{m}})
	if status := app.Run(t.Context(), []string{"list", "sessions"}); status != 0 || strings.Count(stdout.String(), "set sessions ") != 3 {
		t.Errorf("exit status %d, %s\n%s", status, stderr, stdout)
	}
}

// large says of every table that it has many rows.
type large struct{ kept }

func (l large) Stats(table string) (dict.Stats, error) { return dict.Stats{Rows: 1 << 20}, nil }

// TestManual keeps the committed page what the help texts make.
func TestManual(t *testing.T) {
	app, _, stderr := newApp(nil)
	dir := t.TempDir()
	if status := app.Run(t.Context(), []string{"man", dir}); status != 0 {
		t.Fatalf("exit status %d, %s", status, stderr)
	}
	got, err := os.ReadFile(filepath.Join(dir, "dictctl.8"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../docs/man/dictctl.8")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/man/dictctl.8 is not what `make generate` writes")
	}
	for _, text := range []string{`.SS set TABLE KEY`, `.SS table add TABLE`, `dictctl nft`, `\-\-backend`} {
		if !bytes.Contains(got, []byte(text)) && !bytes.Contains(got, []byte(strings.Replace(text, ".SS ", ".SS dictctl ", 1))) {
			t.Errorf("no %q", text)
		}
	}
}

// TestExamples parses the command lines of all help texts: none may be a usage
// error.
func TestExamples(t *testing.T) {
	m, err := newMem()
	if err != nil {
		t.Fatal(err)
	}
	app, stdout, _ := newApp(nil)
	if status := app.Run(t.Context(), []string{"man", t.TempDir()}); status != 0 {
		t.Fatal("man")
	}
	var names []string
	app.Run(t.Context(), []string{"__complete", ""})
	for l := range strings.Lines(stdout.String()) {
		if name, _, ok := strings.Cut(l, "\t"); ok {
			names = append(names, name)
		}
	}
	if len(names) < 15 {
		t.Fatalf("commands: %q", names)
	}
	names = append(names, "table add", "table list", "table delete", "user bind", "user unbind", "user groups", "user delete", "user list",
		"quota list", "quota show", "quota set", "quota top-up", "quota reset", "quota history", "quota tc",
		"portal status", "portal sessions", "portal kick", "portal account", "portal account add", "portal account password", "portal account remove", "portal account list",
		"portal voucher", "portal voucher create", "portal voucher list", "portal voucher revoke", "portal voucher remove", "portal voucher print", "portal voucher csv")
	for _, name := range names {
		app, stdout, _ := newApp(kept{m})
		app.Run(t.Context(), append([]string{"help"}, strings.Fields(name)...))
		_, examples, ok := strings.Cut(stdout.String(), "Examples:\n")
		if !ok && name != "help" {
			t.Errorf("%s: no examples", name)
		}
		examples, _, _ = strings.Cut(examples, "\n\n")
		for line := range strings.Lines(examples) {
			runExample(t, m, strings.TrimSpace(line))
		}
	}
}

// runExample runs one line of a help text, without what only a machine has.
func runExample(t *testing.T, m *dicttest.Mem, line string) {
	t.Helper()
	command, _, _ := strings.Cut(line, " >")
	args := shellWords(command)
	if len(args) == 0 || args[0] != "dictctl" {
		t.Errorf("example %q is no dictctl", line)
		return
	}
	for _, word := range []string{"nft", "monitor", "classify", "vendor", "man", "doctor", "sessions", "why", "status", "hosts", "devices", "users", "user", "usage", "quota", "portal", "events", "flows", "recall", "operator", "top", "-f"} {
		if len(args) > 1 && (args[1] == word || args[1] == "-j" && args[2] == word) {
			return
		}
	}
	app, _, stderr := newApp(kept{m})
	app.Stdout = io.Discard
	status := app.Run(t.Context(), args[1:])
	missing := strings.Contains(stderr.String(), dict.ErrNotExist.Error())
	if status == cli.ExitUsage || status == cli.ExitFailed && !missing {
		t.Errorf("%s: exit status %d, %s", line, status, stderr)
	}
}

// shellWords splits a line as a shell does that knows single quotes alone.
func shellWords(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}

// TestTooManyFields: no row that goes makes room for a field, so nobody is told
// to delete rows.
func TestTooManyFields(t *testing.T) {
	m, err := newMem()
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"table", "add", "wide", "key", "int"}
	for i := range dict.MaxFields + 1 {
		words = append(words, "field", fmt.Sprint("f", i), "int")
	}
	app, _, stderr := newApp(kept{m})
	if status := app.Run(t.Context(), words[:len(words)-3]); status != cli.ExitDone {
		t.Fatalf("exit status %d, %s", status, stderr)
	}
	for _, args := range [][]string{{"table", "add", "wide", "field", "more", "int"}, append([]string{"table", "add", "wider"}, words[3:]...)} {
		stderr.Reset()
		status := app.Run(t.Context(), args)
		if text := stderr.String(); status != cli.ExitFailed || !strings.Contains(text, "256 fields") || strings.Contains(text, "remedy") {
			t.Errorf("exit status %d, %s", status, text)
		}
	}
}
