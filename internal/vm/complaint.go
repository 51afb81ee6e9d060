// SPDX-License-Identifier: MIT

package vm

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"nftdict/internal/vm/guest"
)

// Complaint is one thing the kernel found wrong.
type Complaint struct {
	// Kind is a word for it: one of those in signs, "taint" or "held".
	Kind string
	// Text is the report, as many lines as belong to it.
	Text string
}

func (c Complaint) String() string { return c.Kind + ": " + c.Text }

// maxReport is how many lines of the log go into one complaint, contextBefore
// how many before the one that tells.
const (
	maxReport     = 90
	contextBefore = 2
)

// stamp is what printk puts before a line: a level, a time and, on some
// kernels, a thread or processor.
var stamp = regexp.MustCompile(`^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?`)

// sign is how a complaint begins.
type sign struct {
	kind string
	text string // the line begins with it, or, after "*", holds it
}

// signs returns how complaints begin. The first that fits names the kind.
func signs() []sign {
	return []sign{
		{"lockdep", "WARNING: possible "},
		{"lockdep", "WARNING: inconsistent lock"},
		{"lockdep", "WARNING: bad unlock"},
		{"lockdep", "WARNING: held lock"},
		{"lockdep", "WARNING: lock held"},
		{"lockdep", "WARNING: Nested lock"},
		{"lockdep", "WARNING: suspicious RCU"},
		{"lockdep", "*-safe -> "},
		{"lockdep", "*trying to register non-static key"},
		{"lockdep", "*turning off the locking correctness validator"},
		{"lockdep", "[ BUG: "},
		{"kasan", "BUG: KASAN"},
		{"kasan", "BUG: KFENCE"},
		{"kasan", "UBSAN:"},
		{"atomic", "BUG: sleeping function"},
		{"atomic", "BUG: scheduling while atomic"},
		{"atomic", "*leaked atomic"},
		{"atomic", "*Voluntary context switch within RCU"},
		{"stall", "*self-detected stall"},
		{"stall", "*detected stalls"},
		{"stall", "*detected expedited stalls"},
		{"stall", "*soft lockup"},
		{"stall", "*hard LOCKUP"},
		{"stall", "*workqueue lockup"},
		{"stall", "INFO: task "},
		{"oops", "*unable to handle"},
		{"oops", "*NULL pointer dereference"},
		{"oops", "*general protection fault"},
		{"oops", "Oops"},
		{"oops", "kernel BUG at"},
		{"oops", "Kernel panic"},
		{"oops", "invalid opcode"},
		{"oops", "divide error"},
		{"oops", "double fault"},
		{"leak", "*new suspected memory leaks"},
		{"leak", "*unregister_netdevice: waiting for"},
		{"leak", "*Objects remaining"},
		{"leak", "*still has objects"},
		{"memory", "Out of memory"},
		{"memory", "*invoked oom-killer"},
		{"memory", "*page allocation failure"},
		{"memory", "*Unreclaimable slab info"},
		{"bug", "BUG"},
		{"bug", "*list_add corruption"},
		{"bug", "*list_del corruption"},
		{"bug", "ODEBUG:"},
		{"warning", "refcount_t:"},
		{"warning", "WARNING: CPU:"},
		{"warning", "WARNING:"},
	}
}

// complaints finds what a kernel log complains of.
func complaints(log []byte) []Complaint {
	var found []Complaint
	known := signs()
	lines := bytes.Split(bytes.ReplaceAll(log, []byte("\r"), nil), []byte("\n"))
	for i := 0; i < len(lines); i++ {
		kind := recognize(bare(lines[i]), known)
		if kind == "" {
			continue
		}
		first, last := max(0, i-contextBefore), i
		for last+1 < len(lines) && last-i < maxReport && !ends(bare(lines[last])) {
			last++
		}
		found = append(found, Complaint{Kind: kind, Text: string(bytes.TrimSpace(bytes.Join(lines[first:last+1], []byte("\n"))))})
		i = last
	}
	return found
}

// recognize returns the kind of complaint a line begins, "" if none.
func recognize(line string, known []sign) string {
	for _, s := range known {
		if part, ok := strings.CutPrefix(s.text, "*"); ok && strings.Contains(line, part) || strings.HasPrefix(line, s.text) {
			return s.kind
		}
	}
	return ""
}

// ends reports whether a report is over after the line.
func ends(line string) bool {
	return strings.HasPrefix(line, "---[ end ") || strings.HasPrefix(line, "FAULT_INJECTION: ")
}

func bare(line []byte) string { return string(stamp.ReplaceAll(line, nil)) }

// taints are the bits of the taint mask that tell of damage, not of
// out-of-tree or unsigned modules.
var taints = map[int]string{
	1: "a module was forced in", 3: "a module was forced out", 4: "machine check", 5: "bad page",
	7: "the kernel died (oops)", 9: "a warning was issued", 14: "soft lockup",
}

// reported finds complaints in what the guest told at its end.
func reported(r *guest.Report) []Complaint {
	var found []Complaint
	for bit := range 32 {
		if why, bad := taints[bit]; bad && r.Taint&(1<<bit) != 0 {
			found = append(found, Complaint{Kind: "taint", Text: fmt.Sprintf("mask %d: %s", r.Taint, why)})
		}
	}
	for _, h := range r.Held {
		found = append(found, Complaint{Kind: "held", Text: h})
	}
	if leak := strings.TrimSpace(r.Leaks); leak != "" {
		found = append(found, Complaint{Kind: "leak", Text: leak})
	}
	return found
}
