// SPDX-License-Identifier: MIT

package front

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// writeFiles makes files in dir and returns it.
func writeFiles(t *testing.T, dir string, texts map[string]string) string {
	t.Helper()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRunVariables(t *testing.T) {
	ns := newNetwork(t)
	const rule = "add rule ip t c dict sessions ct id application $app drop\n"
	const chain = "flush ruleset\nadd table ip t\nadd chain ip t c\n"
	want := func(values ...string) string {
		b := "table ip t {\n\tchain c {\n"
		for _, v := range values {
			b += "\t\tdict sessions ct id application " + v + " drop\n"
		}
		return b + "\t}\n}\n"
	}
	for name, c := range map[string]struct {
		files  map[string]string // "main" is the file that is loaded
		args   []string          // DIR stands for where they are
		values []string
	}{
		"one text":          {map[string]string{"main": "define app = 5\n" + chain + rule}, nil, []string{"5"}},
		"an option":         {map[string]string{"main": chain + rule}, []string{"-D", "app=6"}, []string{"6"}},
		"before an include": {map[string]string{"main": "define app = 7\n" + chain + "include \"DIR/rules\"\n", "rules": rule}, nil, []string{"7"}},
		"in an include":     {map[string]string{"main": "include \"DIR/defs\"\n" + chain + rule, "defs": "define app = 8\n"}, nil, []string{"8"}},
		"twice included": {map[string]string{
			"main":  chain + "define app = 1\ninclude \"DIR/rules\"\nredefine app = 2\ninclude \"DIR/rules\"\n",
			"rules": rule,
		}, nil, []string{"1", "2"}},
		"a pattern": {map[string]string{
			"main":    chain + "include \"DIR/d/*.nft\"\n" + rule,
			"d/a.nft": "define app = 1\n" + rule, "d/b.nft": "redefine app = 2\n" + rule, "d/.c.nft": "redefine app = 3\n",
		}, nil, []string{"1", "2", "2"}},
		"a path":     {map[string]string{"main": chain + "include \"defs\"\n" + rule, "inc/defs": "define app = 3\n"}, []string{"-I", "DIR/inc"}, []string{"3"}},
		"relative":   {map[string]string{"main": chain + "include \"./defs\"\n" + rule, "defs": "define app = 4\n"}, nil, []string{"4"}},
		"deep":       {map[string]string{"main": chain + "include \"./a\"\n" + rule, "a": "include \"./b\"\n", "b": "define app = 9\n" + rule}, nil, []string{"9", "9"}},
		"no space":   {map[string]string{"main": "define app = 4\n" + chain + "include\"./rules\"\n", "rules": rule}, nil, []string{"4"}},
		"of nft too": {map[string]string{"main": "define app = 5\ndefine port = 80\n" + chain + strings.Replace(rule, "dict", "tcp dport $port dict", 1)}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				c.files[name] = strings.ReplaceAll(text, "DIR", dir)
			}
			t.Chdir(writeFiles(t, dir, c.files))
			args := append(strings.Fields(strings.ReplaceAll(strings.Join(c.args, " "), "DIR", dir)), "-f", "main")
			list := want(c.values...)
			if c.values == nil {
				list = strings.Replace(want("5"), "dict", "tcp dport 80 dict", 1)
			}
			for range 2 {
				if s := ns.run(t, "", args...); s != (said{}) {
					t.Fatalf("%+v", s)
				}
				if d := cmp.Diff(list, ns.run(t, "", "list", "ruleset").Out); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				args[len(args)-1] = "-" // and from standard input
				if s := ns.run(t, c.files["main"], args...); s != (said{}) {
					t.Fatalf("%+v", s)
				}
			}
		})
	}
}

func TestRunVariableErrors(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c")
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"not defined": {map[string]string{"main": "# one\nadd rule ip t c dict sessions ct id application $app drop\n"}, `
main:2:49-52: Error: variable app is not defined
add rule ip t c dict sessions ct id application $app drop
                                                ^^^^
`},
		"does not compile": {map[string]string{"main": "define app = 9999\nadd rule ip t c dict sessions ct id application $app drop\n"}, `
main:2:17-52: Error: value "9999": refused by the test
add rule ip t c dict sessions ct id application $app drop
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
`},
		"included": {map[string]string{"main": "# one\ninclude \"./a\"\n", "a": "\n\ninclude \"./b\"\n", "b": "add rule ip t c dict sessions ct id application $app drop\n"}, `
In file included from ./a:3:1-14:
                 from main:2:1-14:
./b:1:49-52: Error: variable app is not defined
add rule ip t c dict sessions ct id application $app drop
                                                ^^^^
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(writeFiles(t, t.TempDir(), c.files))
			if d := cmp.Diff(said{Exit: 1, Err: c.want[1:]}, ns.run(t, "", "-f", "main")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if s := ns.run(t, "", "list", "chain", "ip", "t", "c"); strings.Contains(s.Out, "dict") {
		t.Errorf("something was loaded: %s", s.Out)
	}
}

// A pipe that is included gives its text once, to nft. What it says of variables is
// not known when the terms of the text around it are read.
func TestRunIncludedPipe(t *testing.T) {
	ns := newNetwork(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		main, pipe string
		rules      int
		want       said
	}{
		"no term":   {"include \"./pipe\"\nadd rule ip t c meta mark $app\n", "define app = 7\n", 1, said{}},
		"a term":    {"include \"./pipe\"\n", "add rule ip t c dict sessions ct id application 5\n", 1, said{}},
		"no define": {"define app = 5\ninclude \"./pipe\"\nadd rule ip t c dict sessions ct id application $app drop\n", "add rule ip t c counter\n", 2, said{}},
		"a define": {"define app = 5\ninclude \"./pipe\"\nadd rule ip t c dict sessions ct id application $app drop\n", "add rule ip t c counter;redefine app = 6\n", 0, said{
			Exit: 1,
			Err: "./pipe:1:25-38: Error: variables for dict terms from a file that could not be read beforehand: not supported, let it be a regular file and not change meanwhile\n" +
				"add rule ip t c counter;redefine app = 6\n                        ^^^^^^^^^^^^^^\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ns.must(t, "flush ruleset; add table ip t; add chain ip t c")
			writeFiles(t, dir, map[string]string{"main": c.main})
			written := make(chan error, 1)
			go func() { written <- os.WriteFile("pipe", []byte(c.pipe), 0) }() // waits for a reader
			if d := cmp.Diff(c.want, ns.run(t, "", "-f", "main")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if err := <-written; err != nil {
				t.Error(err)
			}
			if list := ns.run(t, "", "list", "ruleset").Out; strings.Count(list, "\n\t\t") != c.rules {
				t.Errorf("want %d rules:\n%s", c.rules, list)
			}
		})
	}
}

// What nft says of files that it cannot include is nft's.
func TestRunIncludeErrors(t *testing.T) {
	ns := newNetwork(t)
	for name, files := range map[string]map[string]string{
		"missing":  {"main": "include \"./nosuch\"\n# dict\n"},
		"itself":   {"main": "include \"./main\"\n# dict\n"},
		"circle":   {"main": "include \"./a\"\n", "a": "include \"./b\"\n# dict\n", "b": "include \"./a\"\n"},
		"nothing":  {"main": "include \"./x*\"\n# dict\n"},
		"no name":  {"main": "include \"\"\n# dict\n"},
		"in error": {"main": "include \"./a\"\n", "a": "bogus # dict\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(writeFiles(t, t.TempDir(), files))
			if d := cmp.Diff(ns.plain(t, "", "-f", "main"), ns.run(t, "", "-f", "main")); d != "" {
				t.Errorf("(-nft +front end):\n%s", d)
			}
		})
	}
}
