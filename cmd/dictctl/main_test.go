// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"nftdict/internal/backend"
	"nftdict/internal/cli/clitest"
	"nftdict/internal/need"
)

// asProgram makes the test binary be dictctl.
const asProgram = "DICTCTL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// namespaces counts those that tests have made.
var namespaces atomic.Int32

// newNamespace makes a network namespace and returns its name. When the test
// ends it goes, with its dictionaries.
func newNamespace(tb testing.TB) string {
	tb.Helper()
	need.Root(tb)
	ip := need.Program(tb, "ip")
	name := fmt.Sprintf("dictctl-test-%d-%d", os.Getpid(), namespaces.Add(1))
	need.Feature(tb, "netns", func() error {
		out, err := exec.Command(ip, "netns", "add", name).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip netns add: %w: %s", err, out)
		}
		return nil
	})
	tb.Cleanup(func() {
		if err := removeTables(name); err != nil {
			tb.Errorf("remove the tables of %s: %v", name, err)
		}
		if out, err := exec.Command(ip, "netns", "delete", name).CombinedOutput(); err != nil {
			tb.Errorf("ip netns delete: %v: %s", err, out)
		}
	})
	need.Feature(tb, "bpf", func() error {
		return within(name, func() error {
			b, err := backend.Open(backend.EBPF, backend.Options{})
			if err != nil {
				return err
			}
			return b.Store.Close()
		})
	})
	return name
}

// removeTables takes away all that a namespace's store has pinned.
func removeTables(netns string) error {
	return within(netns, func() error {
		b, err := backend.Open(backend.EBPF, backend.Options{})
		if err != nil {
			return err
		}
		r, ok := b.Store.(interface{ Remove() error })
		if !ok {
			return errors.New("the store cannot be removed")
		}
		return errors.Join(r.Remove(), b.Store.Close())
	})
}

// within runs f on a thread in a named network namespace; the thread ends with
// it.
func within(netns string, f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		ns, err := os.Open("/run/netns/" + netns)
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		result <- err
	}()
	return <-result
}

// program returns dictctl as a process, in a namespace.
func program(netns string) clitest.Dictctl {
	return func(dir string, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
		self, err := os.Executable()
		if err != nil {
			fmt.Fprintln(stderr, err)
			return -1
		}
		cmd := exec.Command(self, append([]string{"--netns", netns}, args...)...)
		if len(args) > 0 && strings.HasPrefix(args[0], "__complete") { // completion's own word comes first
			cmd.Args = append([]string{self, args[0], "--netns", netns}, args[1:]...)
		}
		cmd.Env = append(os.Environ(), asProgram+"=1")
		cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, stdin, stdout, stderr
		err = cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			fmt.Fprintln(stderr, err)
			return -1
		}
		return cmd.ProcessState.ExitCode()
	}
}

// TestScripts runs the scripts of internal/cli on the program, each in a
// network namespace with dictionaries in eBPF maps.
func TestScripts(t *testing.T) {
	newNamespace(t) // skips here, not in every script
	clitest.Run(t, "../../internal/cli/testdata/script", func(st testscript.T, e *testscript.Env) (clitest.Dictctl, error) {
		return program(newNamespace(t)), nil
	})
}

// run runs the program and wants an exit status.
func run(t *testing.T, netns string, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	got := program(netns)(t.TempDir(), strings.NewReader(""), &out, &errs, args)
	if got != want {
		t.Fatalf("dictctl %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), got, want, &out, &errs)
	}
	return out.String(), errs.String()
}

// outcome is what a program did.
type outcome struct {
	status         int
	stdout, stderr string
}

// nftAlone runs nft itself.
func nftAlone(t *testing.T, netns string, args []string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	need.Program(t, "nft")
	cmd := exec.Command("ip", append([]string{"netns", "exec", netns, "nft"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// TestSessionRows: the module keeps rows of sessions for connections that there are,
// and with them; elsewhere they are leases.
func TestSessionRows(t *testing.T) {
	netns := newNamespace(t)
	if kindOf(t, netns) == backend.Kmod {
		if _, stderr := run(t, netns, 1, "set", "sessions", "5", "application", "NETFLIX"); !strings.Contains(stderr, "set sessions 5: does not exist: no live conntrack entry") {
			t.Errorf("without a connection: %s", stderr)
		}
		return
	}
	run(t, netns, 0, "set", "sessions", "5", "application", "NETFLIX")
	if got, _ := run(t, netns, 0, "get", "sessions", "5"); !regexp.MustCompile(`^set sessions 5 application "NETFLIX" ttl (5m|4m\d+s)\n$`).MatchString(got) {
		t.Errorf("get: %s", got)
	}
}
