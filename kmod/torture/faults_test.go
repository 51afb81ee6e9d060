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
		f.only(0, ^uint64(0))
	})
	return f
}

func (f *faults) set(dir, name, value string) {
	if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0); err != nil {
		f.tb.Error(err)
	}
}

// only lets faults happen below code in a range of addresses.
func (f *faults) only(from, to uint64) {
	for _, dir := range []string{failslab, failPages} {
		f.set(dir, "require-start", fmt.Sprintf("%#x", from))
		f.set(dir, "require-end", fmt.Sprintf("%#x", to))
	}
}

// within lets faults happen below a function of the kernel.
func (f *faults) within(function string) {
	f.tb.Helper()
	from, to, err := extent(function)
	if err != nil {
		f.tb.Fatal(err)
	}
	f.only(from, to)
}

// inModule lets faults happen below code of the module.
func (f *faults) inModule() {
	f.tb.Helper()
	from, to, err := moduleText()
	if err != nil {
		f.tb.Fatal(err)
	}
	f.only(from, to)
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

// extent returns where a function of the kernel begins and where the next one
// does.
func extent(function string) (from, to uint64, err error) {
	return symbols(func(name, module string) bool { return name == function && module == "" })
}

// moduleText returns where the code of the module begins and ends.
func moduleText() (from, to uint64, err error) {
	text, err := os.ReadFile("/sys/module/nft_dict/sections/.text")
	if err != nil {
		return 0, 0, err
	}
	if from, err = strconv.ParseUint(strings.TrimSpace(string(text)), 0, 64); err != nil {
		return 0, 0, err
	}
	_, to, err = symbols(func(_, module string) bool { return module == "[nft_dict]" })
	return from, to, err
}

// symbols returns the address of the first symbol of code that is wanted, and
// that of the first behind the last one.
func symbols(want func(name, module string) bool) (from, to uint64, err error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return 0, 0, err
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
			return 0, 0, err
		}
		all = append(all, at)
		if want(word[2], strings.Join(word[3:], " ")) {
			first, last = min(first, at), max(last, at)
		}
	}
	if last == 0 {
		return 0, 0, errors.Join(errors.New("no such symbol"), lines.Err())
	}
	to = last + 4096 // of the last symbol there is
	for _, at := range all {
		if at > last {
			to = min(to, at)
		}
	}
	return first, to, lines.Err()
}
