// SPDX-License-Identifier: MIT

package vm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/internal/vm"
)

// run runs a command and fails on errors of the machine.
func run(t *testing.T, m *vm.Machine, c vm.Command) *vm.Result {
	t.Helper()
	res, err := m.Run(t.Context(), c)
	if err != nil || res.Error != "" {
		t.Fatalf("run: %v, guest: %q\n%s", err, res.Error, res.Console)
	}
	return res
}

func TestOutputAndStatus(t *testing.T) {
	guests(t, "guest", "6.12")(func(t *testing.T, m *vm.Machine) {
		c := act(t, m, "echo hello")
		var out, err bytes.Buffer
		c.Stdout, c.Stderr = &out, &err
		res := run(t, m, c)
		if out.String() != "hello\n" || err.String() != "error: hello\n" || res.Exit != 0 {
			t.Errorf("got %q, %q, %d", out.String(), err.String(), res.Exit)
		}
		for _, c := range res.Complaints {
			t.Errorf("the kernel complains: %v", c)
		}
		if !strings.Contains(res.Log, "guest: the program is over") {
			t.Errorf("the log lacks the guest's marks:\n%s", res.Console)
		}
		if res := run(t, m, act(t, m, "exit 42")); res.Exit != 42 {
			t.Errorf("exit status %d, want 42", res.Exit)
		}
	})
}

func TestGuestHasAll(t *testing.T) {
	guests(t, "guest", "6.1", "6.12")(func(t *testing.T, m *vm.Machine) {
		for _, host := range []bool{false, true} {
			t.Run(fmt.Sprintf("host=%v", host), func(t *testing.T) {
				m := *m
				m.Host = host
				c := act(t, &m, "look")
				var out bytes.Buffer
				c.Stdout = &out
				run(t, &m, c)
				if want := "release " + m.Kernel.Release + "\nlo 0x9\n"; out.String() != want {
					t.Errorf("got %q, want %q", out.String(), want)
				}
				if _, err := os.Stat("/tmp/written"); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the guest wrote to the host: %v", err)
				}
			})
		}
	})
}

func TestLeftoversAreKilled(t *testing.T) {
	guests(t, "guest", "6.12")(func(t *testing.T, m *vm.Machine) {
		if res := run(t, m, act(t, m, "leave")); res.Exit != 0 {
			t.Errorf("exit status %d", res.Exit)
		}
	})
}

func TestTimeout(t *testing.T) {
	guests(t, "guest", "6.12")(func(t *testing.T, m *vm.Machine) {
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 8*time.Second, enough)
		defer cancel()
		if _, err := m.Run(ctx, act(t, m, "sleep")); !errors.Is(err, enough) {
			t.Errorf("error %v, want the cause of the end", err)
		}
	})
}

func TestPanic(t *testing.T) {
	guests(t, "guest", "6.12")(func(t *testing.T, m *vm.Machine) {
		res, err := m.Run(t.Context(), act(t, m, "panic"))
		if !errors.Is(err, vm.ErrNoReport) {
			t.Errorf("error %v, want ErrNoReport", err)
		}
		expect(t, res, "oops")
	})
}

func TestRefusals(t *testing.T) {
	guests(t, "guest", "6.12")(func(t *testing.T, m *vm.Machine) {
		t.Run("absent program", func(t *testing.T) {
			m := *m
			res, err := m.Run(t.Context(), vm.Command{Argv: []string{"/absent"}})
			if err != nil || !strings.Contains(res.Error, "/absent") {
				t.Errorf("error %v, guest %q", err, res.Error)
			}
		})
		t.Run("dynamic init", func(t *testing.T) {
			m := *m
			m.Init = "/bin/ls"
			if _, err := m.Run(t.Context(), vm.Command{Argv: []string{"/x"}}); !errors.Is(err, vm.ErrNotStatic) {
				t.Errorf("error %v, want ErrNotStatic", err)
			}
		})
		t.Run("broken module", func(t *testing.T) {
			m := *m
			file := filepath.Join(t.TempDir(), "broken.ko")
			if err := os.WriteFile(file, []byte("not an object"), 0o600); err != nil {
				t.Fatal(err)
			}
			m.Extra = []string{file}
			res, err := m.Run(t.Context(), act(t, &m, "echo x"))
			if err != nil || !strings.Contains(res.Error, "broken.ko") {
				t.Errorf("error %v, guest %q", err, res.Error)
			}
		})
	})
}

// expect fails unless the kernel complained in the way of kind.
func expect(t *testing.T, res *vm.Result, kind string) {
	t.Helper()
	var kinds []string
	for _, c := range res.Complaints {
		if c.Kind == kind {
			return
		}
		kinds = append(kinds, c.Kind)
	}
	t.Errorf("complaints %q, want one of kind %q; the log:\n%s", kinds, kind, res.Console)
}
