// SPDX-License-Identifier: MIT

package torture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"nftdict/internal/need"
)

// faults lets the kernel's allocations fail.
type faults struct {
	tb  testing.TB
	nth *os.File // of the thread
}

// Where the kernel lets faults be injected: into objects, and into pages.
const failslab, failPages = "/sys/kernel/debug/failslab", "/sys/kernel/debug/fail_page_alloc"

// newFaults prepares the calling thread, on which the goroutine stays.
func newFaults(tb testing.TB) *faults {
	tb.Helper()
	need.Feature(tb, "failslab", func() error {
		_, err := os.Stat(failslab)
		return err
	})
	runtime.LockOSThread()
	f := &faults{tb: tb}
	// Open all the while: to open it again could be what fails.
	var err error
	if f.nth, err = os.OpenFile("/proc/thread-self/fail-nth", os.O_RDWR, 0); err != nil {
		tb.Fatal(err)
	}
	for _, dir := range []string{failslab, failPages} {
		f.set(dir, "verbose", "0")
		f.set(dir, "ignore-gfp-wait", "N") // those that may sleep, too
		f.set(dir, "stacktrace-depth", "32")
	}
	f.set(failPages, "ignore-gfp-highmem", "N")
	f.set(failPages, "min-order", "0")
	tb.Cleanup(func() {
		f.nth.Close()
		f.chance(0)
		f.only(anywhere())
	})
	return f
}

func (f *faults) set(dir, name, value string) {
	if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0); err != nil {
		f.tb.Error(err)
	}
}

// extent is code from one address to another.
type extent struct{ from, to uint64 }

// only lets faults happen below code.
func (f *faults) only(e extent) {
	for _, dir := range []string{failslab, failPages} {
		f.set(dir, "require-start", fmt.Sprintf("%#x", e.from))
		f.set(dir, "require-end", fmt.Sprintf("%#x", e.to))
	}
}

// anywhere is all code.
func anywhere() extent { return extent{0, ^uint64(0)} }

// function returns where a function of the kernel begins and where the next
// one does.
func (f *faults) function(name string) extent {
	f.tb.Helper()
	return f.code(name, func(s symbol) bool { return s.name == name && s.module == "" })
}

// module returns where the code of the module begins and ends.
func (f *faults) module() extent {
	f.tb.Helper()
	return f.code("code of the module", func(s symbol) bool { return s.module == "[nft_dict]" })
}

// chance lets every allocation fail with a probability in per cent.
func (f *faults) chance(percent int) {
	for _, dir := range []string{failslab, failPages} {
		f.set(dir, "times", "-1")
		f.set(dir, "probability", strconv.Itoa(percent))
	}
}

// try calls do, whose nth allocation fails, and tells whether there were that
// many.
func (f *faults) try(n int, do func() error) (reached bool, err error) {
	if _, err := f.nth.WriteAt([]byte(strconv.Itoa(n)), 0); err != nil {
		f.tb.Fatal(err)
	}
	err = do()
	var left [16]byte
	length, rerr := f.nth.ReadAt(left[:], 0)
	_, werr := f.nth.WriteAt([]byte("0"), 0)
	if rerr != nil && rerr != io.EOF || werr != nil {
		f.tb.Fatal(errors.Join(rerr, werr))
	}
	return strings.TrimSpace(string(left[:length])) == "0", err
}

// symbol is a place in the kernel's code.
type symbol struct {
	at           uint64
	name, module string
}

// code returns that from the first symbol that is wanted to the one behind the
// last.
func (f *faults) code(what string, want func(symbol) bool) extent {
	f.tb.Helper()
	all, err := symbols()
	if err != nil {
		f.tb.Fatal(err)
	}
	e, last := extent{from: ^uint64(0)}, uint64(0)
	for _, s := range all {
		if want(s) {
			e.from, last = min(e.from, s.at), max(last, s.at)
		}
	}
	if last == 0 {
		f.tb.Fatalf("the kernel has no %s", what)
	}
	e.to = last + 4096 // should there be none behind
	for _, s := range all {
		if s.at > last {
			e.to = min(e.to, s.at)
		}
	}
	return e
}

// symbols returns where the code of the kernel and its modules is.
func symbols() (all []symbol, err error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		at, rest, _ := strings.Cut(lines.Text(), " ")
		kind, rest, _ := strings.Cut(rest, " ")
		if kind != "t" && kind != "T" {
			continue
		}
		s := symbol{}
		if s.at, err = strconv.ParseUint(at, 16, 64); err != nil {
			return nil, err
		}
		s.name, s.module, _ = strings.Cut(rest, "\t")
		all = append(all, s)
	}
	return all, lines.Err()
}
