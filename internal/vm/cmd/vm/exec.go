// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nftdict/internal/vm"
	"nftdict/internal/vm/kernel"
)

// execFlags are the flags of `vm exec`.
type execFlags struct {
	kernel   string
	host     bool
	memory   int
	cpus     int
	timeout  time.Duration
	modules  list
	extra    list
	params   list
	qemu     list
	env      list
	built    string
	counted  bool
	console  bool
	verbose  bool
	complain bool
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// execute is `vm exec`: the program's exit status becomes ours.
func execute(ctx context.Context, args []string) error {
	var f execFlags
	fs := flag.NewFlagSet("vm exec", flag.ContinueOnError)
	fs.StringVar(&f.kernel, "kernel", "6.12", "`name` of the kernel in the cache")
	fs.BoolVar(&f.host, "host", true, "show the host's files, with a layer of memory above; without: the program and its testdata alone")
	fs.IntVar(&f.memory, "memory", 1024, "`MiB` of memory")
	fs.IntVar(&f.cpus, "cpus", 2, "`number` of processors")
	fs.DurationVar(&f.timeout, "timeout", time.Hour, "kill the machine after this `time`")
	fs.Var(&f.modules, "module", "load one more `module` of the kernel's first (repeatable)")
	fs.Var(&f.extra, "insmod", "load the out-of-tree module in this `file` (repeatable)")
	fs.StringVar(&f.built, "built", "", "load every module in `DIR`/KERNEL, where \"vm build\" puts them")
	fs.Var(&f.params, "param", "a `word` more for the kernel's command line (repeatable)")
	fs.Var(&f.qemu, "qemu", "an `argument` more for the emulator (repeatable)")
	fs.Var(&f.env, "env", "set a `NAME=VALUE` in the guest, or pass NAME on (repeatable; PATH, HOME, LANG and NFTDICT_* are passed)")
	fs.BoolVar(&f.counted, "counted", false, "a nanosecond of the guest's time is an instruction, and without -host idle time passes at once")
	fs.BoolVar(&f.console, "console", false, "show the kernel's log on stderr while it is written")
	fs.BoolVar(&f.verbose, "v", false, "say how long the run took")
	fs.BoolVar(&f.complain, "complaints", true, "fail when the kernel complained")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if fs.NArg() == 0 {
		return fmt.Errorf("%w: vm exec [flags] PROGRAM [ARG]", errUsage)
	}
	m, c, err := f.prepare(fs.Args())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("killed after %v", f.timeout))
	defer cancel()
	res, err := m.Run(ctx, c)
	if f.verbose {
		fmt.Fprintf(os.Stderr, "vm: kernel %s: %v\n", m.Kernel.Release, res.Took.Round(10*time.Millisecond))
	}
	return f.judge(os.Stderr, res, err)
}

// judge turns a run into an exit status, and says why.
func (f *execFlags) judge(w io.Writer, res *vm.Result, err error) error {
	if f.complain {
		for _, c := range res.Complaints {
			fmt.Fprintf(w, "vm: the kernel complains of a %s:\n%s\n", c.Kind, c.Text)
		}
	}
	switch {
	case err != nil:
		if !f.console {
			fmt.Fprintf(w, "vm: end of the kernel's log:\n%s\n", tail(res.Console, 40))
		}
		return err
	case res.Error != "":
		return errors.New(res.Error)
	case res.Exit != 0:
		return exitStatus(res.Exit)
	case f.complain && len(res.Complaints) > 0:
		return exitStatus(exitFailed)
	}
	return nil
}

func (f *execFlags) prepare(argv []string) (*vm.Machine, vm.Command, error) {
	c := vm.Command{Argv: argv, Env: environment(f.env), Stdout: os.Stdout, Stderr: os.Stderr}
	cache, err := kernel.Open()
	if err != nil {
		return nil, c, err
	}
	k, err := cache.Kernel(f.kernel)
	if err != nil {
		return nil, c, fmt.Errorf("%w (get it with: vm fetch %s)", err, f.kernel)
	}
	if c.Dir, err = os.Getwd(); err != nil {
		return nil, c, err
	}
	if err := leavesFiles(argv); err != nil {
		return nil, c, err
	}
	m := &vm.Machine{
		Kernel: k, Host: f.host, Memory: f.memory, CPUs: f.cpus, Params: f.params, QEMU: f.qemu, Extra: f.extra, Counted: f.counted,
		Modules: append(vm.Networking(), f.modules...),
	}
	if f.built != "" {
		files, err := filepath.Glob(filepath.Join(f.built, f.kernel, "*.ko"))
		if err != nil {
			return nil, c, err
		}
		m.Extra = append(m.Extra, files...)
	}
	if f.console {
		m.Console = os.Stderr
	}
	if !f.host {
		if err := pack(m, &c); err != nil {
			return nil, c, err
		}
	}
	return m, c, nil
}

// pack puts a program that shall run without the host's files into the boot
// archive, with the testdata beside it.
func pack(m *vm.Machine, c *vm.Command) error {
	exe, err := filepath.Abs(c.Argv[0])
	if err != nil {
		return err
	}
	const at = "/program"
	c.Argv = append([]string{at}, c.Argv[1:]...)
	m.Pack = append(m.Pack, vm.Packed{File: exe, As: at})
	if data := filepath.Join(c.Dir, "testdata"); isDir(data) {
		m.Pack = append(m.Pack, vm.Packed{File: data, As: data})
	} else {
		c.Dir = "/"
	}
	return nil
}

// environment is what a guest gets of ours.
func environment(more []string) []string {
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if name == "PATH" || name == "HOME" || name == "LANG" || strings.HasPrefix(name, "NFTDICT_") {
			env = append(env, e)
		}
	}
	for _, e := range more {
		if !strings.Contains(e, "=") {
			e += "=" + os.Getenv(e)
		}
		env = append(env, e)
	}
	return env
}

// leavesFiles refuses flags of a test binary that would write files in the
// guest, where they vanish.
func leavesFiles(argv []string) error {
	for _, a := range argv[1:] {
		name, _, _ := strings.Cut(a, "=")
		switch name {
		case "-test.coverprofile", "-test.cpuprofile", "-test.memprofile", "-test.blockprofile", "-test.mutexprofile",
			"-test.trace", "-test.fuzz":
			return fmt.Errorf("%s: files written in a guest vanish with it", name)
		}
	}
	return nil
}

func isDir(name string) bool {
	st, err := os.Stat(name)
	return err == nil && st.IsDir()
}

// tail returns the last n lines.
func tail(b []byte, n int) string {
	lines := strings.Split(strings.TrimRight(string(b), "\r\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
