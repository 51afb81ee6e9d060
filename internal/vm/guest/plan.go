// SPDX-License-Identifier: MIT

package guest

import "time"

// PlanFile is where the boot archive holds the Plan, as JSON.
const PlanFile = "/plan.json"

// The names of the ports that lead out.
const (
	PortOut    = "nftdict.out"
	PortErr    = "nftdict.err"
	PortReport = "nftdict.report"
)

// ShareTag is the mount tag of the host's root file system.
const ShareTag = "host"

// Extra is where a guest keeps the out-of-tree modules it was given, for
// programs that load and unload them. EnvExtra names the variable that tells
// them so.
const (
	Extra    = "/run/nftdict-modules"
	EnvExtra = "NFTDICT_MODULES"
)

// Plan is what a guest has to do.
type Plan struct {
	Argv []string // the program, by absolute path, and its arguments
	Env  []string
	Dir  string // where it starts

	// Boot are the modules to load first, as paths in the archive, in order;
	// Extra those to load after them, to keep in the directory Extra and to
	// unload at the end.
	Boot  []string
	Extra []string
	// Patience is for how long the unloading may take.
	Patience time.Duration

	// Host puts the program on the host's root file system, which it sees with
	// a layer of memory above: it may write, the host stays as it is.
	Host bool
	// Tree is the host's directory of the guest's modules, Release what `uname
	// -r` says in the guest: with both, modules load on demand.
	Tree    string
	Release string
}

// Report is how it went.
type Report struct {
	// Exit is the program's exit status, 128 + N if signal N ended it.
	Exit int
	// Error tells why the program did not run, "" if it did.
	Error string
	// Taint is the kernel's taint mask at the end.
	Taint uint64
	// Held are extra modules that could not be unloaded: something still
	// refers to them.
	Held []string
	// Log is the kernel's log, whole, as dmesg prints it: the console loses
	// letters when the host is busy.
	Log string
	// Leaks is kmemleak's report, "" without leaks or without kmemleak.
	Leaks string
}
