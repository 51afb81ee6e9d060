// SPDX-License-Identifier: MIT

package vm_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"nftdict/internal/vm"
)

// A detector that never fires proves nothing, so each is tripped once, in a
// guest of its own.

func TestControls(t *testing.T) {
	guests(t, "guest", "6.1", "6.12")(func(t *testing.T, m *vm.Machine) {
		trip(t, m, map[string]string{"warning": "warning", "oops": "oops", "stall": "stall"})
	})
}

func TestDebugControls(t *testing.T) {
	guests(t, "debugkernel", "debug")(func(t *testing.T, m *vm.Machine) {
		trip(t, m, map[string]string{
			"warning": "warning", "atomic": "atomic", "lockdep": "lockdep", "rcu": "lockdep",
			"use-after-free": "kasan", "out-of-bounds": "kasan", "leak": "leak",
		})
	})
}

// trip trips detectors; each must be told of in its own way.
func trip(t *testing.T, m *vm.Machine, detectors map[string]string) {
	file := controls(t, m)
	for detector, kind := range detectors {
		t.Run(detector, func(t *testing.T) {
			m := *m
			m.CPUs = 2 // one that stalls, one that would go on
			m.Params = []string{"rcupdate.rcu_cpu_stall_timeout=3"}
			m.Pack = []vm.Packed{{File: file, As: control}}
			res, err := m.Run(t.Context(), act(t, &m, "trip "+detector))
			if err != nil && detector != "oops" {
				t.Fatalf("%v\n%s", err, res.Console)
			}
			expect(t, res, kind)
		})
	}
}

// A module that something still refers to at the end is a complaint, one that
// goes is none.
func TestHeldModule(t *testing.T) {
	guests(t, "guest", "6.12")(func(t *testing.T, m *vm.Machine) {
		file := controls(t, m)
		for _, hold := range []bool{false, true} {
			m := *m
			m.Extra, m.Patience = []string{file}, time.Second
			what := "echo x"
			if hold {
				what = "hold"
			}
			res := run(t, &m, act(t, &m, what))
			if hold {
				expect(t, res, "held")
			} else if len(res.Complaints) > 0 {
				t.Errorf("complaints %v", res.Complaints)
			}
		}
	})
}

// The debug kernel must let allocations of a system call fail, and must not
// take that for a fault.
func TestFailNth(t *testing.T) {
	guests(t, "debugkernel", "debug")(func(t *testing.T, m *vm.Machine) {
		c := act(t, m, "fail-nth")
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		res := run(t, m, c)
		if res.Exit != 0 || !strings.HasPrefix(out.String(), "failed ") || strings.HasPrefix(out.String(), "failed 0") {
			t.Errorf("exit status %d, output %q", res.Exit, out.String())
		}
		for _, c := range res.Complaints {
			t.Errorf("the kernel complains: %v", c)
		}
	})
}
