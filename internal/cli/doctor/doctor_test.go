// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

func TestConclude(t *testing.T) {
	r := Report{Checks: []Check{
		{Name: "tables", State: Present, For: "rules"},
		{Name: "queue expression", State: Absent, For: "queue/nft"},
		{Name: "queue target", State: Present, For: "queue/xt"},
		{Name: "program", State: Present, For: "maps/ebpf"},
		{Name: "match", State: Unknown, For: "maps/ebpf"},
		{Name: "module", State: Absent, For: "maps/kmod"},
		{Name: "extra", State: Absent},
	}}
	r.conclude()
	want := []Role{
		{"rules", []Way{{Works: true}}},
		{"queue", []Way{{Name: "nft", Missing: []string{"queue expression"}}, {Name: "xt", Works: true}}},
		{"maps", []Way{{Name: "ebpf", Missing: []string{"match"}}, {Name: "kmod", Missing: []string{"module"}}}},
	}
	if diff := cmp.Diff(want, r.Roles); diff != "" {
		t.Errorf("roles (-want +got)\n%s", diff)
	}
	if r.Works {
		t.Error("works without maps")
	}
	r.Checks[4].State = Present
	if r.conclude(); !r.Works {
		t.Error("does not work with one way for every role")
	}
}

func TestProbeRun(t *testing.T) {
	scratch := fmt.Errorf("%w: no", errNoScratch)
	tests := []struct {
		name      string
		inScratch bool
		noScratch error
		found     string
		err       error
		want      Check
	}{
		{"present", true, nil, "it", nil, Check{State: Present, Found: "it"}},
		{"absent", true, nil, "", errors.New("no such thing"), Check{State: Absent, Found: "no such thing", Follows: "less"}},
		{"absent file", true, nil, "no file", fs.ErrNotExist, Check{State: Absent, Found: "no file", Follows: "less"}},
		{"refused", false, nil, "", fmt.Errorf("open: %w", unix.EPERM), Check{State: Unknown, Found: "not permitted"}},
		{"no scratch", true, scratch, "it", nil, Check{State: Unknown, Found: scratch.Error()}},
		{"no scratch needed", false, scratch, "it", nil, Check{State: Present, Found: "it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := probe{scratch: tt.inScratch, follows: "less", try: func(context.Context) (string, error) { return tt.found, tt.err }}
			if diff := cmp.Diff(tt.want, p.run(t.Context(), tt.noScratch)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestProbesAreTold(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range probes() {
		if p.name == "" || p.follows == "" || p.try == nil {
			t.Errorf("probe %q: not complete", p.name)
		}
		if seen[p.name] {
			t.Errorf("probe %q: twice", p.name)
		}
		seen[p.name] = true
	}
}

// TestRun tries this kernel: what the tests of rules and queues rely on must be
// found here too.
func TestRun(t *testing.T) {
	need.Root(t)
	r := Run(t.Context())
	state := map[string]State{}
	for _, c := range r.Checks {
		state[c.Name] = c.State
		t.Logf("%-32s %-8s %s", c.Name, c.State, c.Found)
		if c.State == Unknown {
			t.Errorf("%s: unknown to root: %s", c.Name, c.Found)
		}
	}
	for _, promised := range []struct{ feature, check string }{
		{"nft", "nf_tables"}, {"nft", "nft program"}, {"xtbpf", "xt bpf through nft_compat"}, {"bpf", "bpf system call"},
		{"nfqueue", "nfnetlink_queue"}, {"seccomp", "seccomp user notification"},
	} {
		if need.Promised(promised.feature) && state[promised.check] != Present {
			t.Errorf("%s is %s, and %s was promised", promised.check, state[promised.check], promised.feature)
		}
	}
	if need.Promised("root") && !r.Works {
		t.Errorf("roles without a way: %+v", r.Roles)
	}
}

// TestListen leaves no listener behind: a second one on the same process works.
func TestListen(t *testing.T) {
	for range 2 { // the first listener must be gone
		if err := listen(); err != nil && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EINVAL) {
			t.Fatal(err)
		}
	}
}
