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
	e, err := symbols(func(s, module string) bool { return s == name && module == "" })
	if err != nil {
		f.tb.Fatalf("%s: %v", name, err)
	}
	return e
}

// module returns where the code of the module begins and ends.
func (f *faults) module() extent {
	f.tb.Helper()
	e, err := symbols(func(_, module string) bool { return module == "[nft_dict]" })
	if err != nil {
		f.tb.Fatal(err)
	}
	return e
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

// symbols returns the code from the first symbol that is wanted to the one
// behind the last.
func symbols(want func(name, module string) bool) (e extent, err error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return e, err
	}
	defer f.Close()
	var all []uint64
	first, last := ^uint64(0), uint64(0)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		word := strings.Fields(lines.Text())
		if len(word) < 3 || !strings.ContainsAny(word[1], "tT") {
			continue
		}
		at, err := strconv.ParseUint(word[0], 16, 64)
		if err != nil {
			return e, err
		}
		all = append(all, at)
		if want(word[2], strings.Join(word[3:], " ")) {
			first, last = min(first, at), max(last, at)
		}
	}
	if last == 0 {
		return e, errors.Join(errors.New("no such symbol"), lines.Err())
	}
	e = extent{first, last + 4096} // should there be none behind
	for _, at := range all {
		if at > last {
			e.to = min(e.to, at)
		}
	}
	return e, lines.Err()
}
