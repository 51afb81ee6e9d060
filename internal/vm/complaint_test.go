// SPDX-License-Identifier: MIT

package vm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/vm/guest"
)

func TestComplaints(t *testing.T) {
	for _, tt := range []struct {
		name string
		log  string
		want []string
	}{
		{"nothing", "[    0.000000] Linux version 6\r\n[    1.2] guest: alive\r\n", nil},
		{"a word in a sentence", "[    0.1] x: a WARNING: in a name\n[   0.2] no BUG here\n", nil},
		{"warning", "[ 1.0] ------------[ cut here ]------------\n[ 1.0] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x0/0x1\n[ 1.0] ---[ end trace 0 ]---\n", []string{"warning"}},
		{"with thread", "[    1.000000][   T77] WARNING: CPU: 0 PID: 77 at a.c:1\n", []string{"warning"}},
		{"two", "[1.0] WARNING: CPU: 0\n[1.0] ---[ end trace 0 ]---\n[1.1] BUG: scheduling while atomic: x/1/0x2\n", []string{"warning", "atomic"}},
		{"kasan", "[1.0] ====\n[1.0] BUG: KASAN: slab-use-after-free in f+0x1/0x2\n", []string{"kasan"}},
		{"lockdep", "[1.0] ======\n[1.0] WARNING: possible circular locking dependency detected\n", []string{"lockdep"}},
		{"unsafe", "[1.0] WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected\n", []string{"lockdep"}},
		{"rcu", "[1.0] WARNING: suspicious RCU usage\n", []string{"lockdep"}},
		{"sleep", "[1.0] BUG: sleeping function called from invalid context at x.c:1\n", []string{"atomic"}},
		{"stall", "[1.0] rcu: INFO: rcu_preempt self-detected stall on CPU\n", []string{"stall"}},
		{"hung", "[1.0] INFO: task x:1 blocked for more than 120 seconds.\n", []string{"stall"}},
		{"null", "[1.0] BUG: kernel NULL pointer dereference, address: 0\n", []string{"oops"}},
		{"panic", "[1.0] Kernel panic - not syncing: x\n", []string{"oops"}},
		{"slab", "[1.0] BUG nft_dict_row (Tainted: G): Objects remaining in nft_dict_row on __kmem_cache_shutdown()\n", []string{"leak"}},
		{"device", "[1.0] unregister_netdevice: waiting for lo to become free. Usage count = 2\n", []string{"leak"}},
		{"from the buffer", "<4>[    1.0] WARNING: CPU: 0 PID: 1\n<6>[    1.0] fine\n", []string{"warning"}},
		{"fault injection alone", "[1.0] FAULT_INJECTION: forcing a failure.\n[1.0] Call Trace:\n[1.0]  dump_stack+1\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range complaints([]byte(tt.log)) {
				got = append(got, c.Kind)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestComplaintText(t *testing.T) {
	log := "[1.0] fine\n[1.1] ------------[ cut here ]------------\n[1.1] WARNING: CPU: 0\n[1.1]  f+0x1\n[1.1] ---[ end trace 0 ]---\n[1.2] fine again\n"
	got := complaints([]byte(log))
	if len(got) != 1 {
		t.Fatalf("%d complaints, want 1", len(got))
	}
	for _, part := range []string{"cut here", "f+0x1", "end trace"} {
		if !strings.Contains(got[0].Text, part) {
			t.Errorf("no %q in %q", part, got[0].Text)
		}
	}
	if strings.Contains(got[0].Text, "fine again") {
		t.Errorf("%q holds what came after the report", got[0].Text)
	}
}

func TestReported(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    guest.Report
		want []string
	}{
		{"out of tree, unsigned", guest.Report{Taint: 1<<12 | 1<<13}, nil},
		{"warned and died", guest.Report{Taint: 1<<9 | 1<<7}, []string{"taint", "taint"}},
		{"held", guest.Report{Held: []string{"x"}}, []string{"held"}},
		{"leak", guest.Report{Leaks: "unreferenced object\n"}, []string{"leak"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range reported(&tt.r) {
				got = append(got, c.Kind)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func FuzzComplaints(f *testing.F) {
	f.Add([]byte("[1.0] BUG: KASAN\r\n\n[ 2.0][ T1] x"))
	f.Fuzz(func(t *testing.T, log []byte) {
		for _, c := range complaints(log) {
			if c.Kind == "" || strings.Count(c.Text, "\n") > maxReport+contextBefore {
				t.Errorf("complaint %q of %d lines", c.Kind, strings.Count(c.Text, "\n"))
			}
		}
	})
}
